/*
 * What a connection gets between its handshake and our answer: a name, and a larger buffer.
 *
 * Whoever is not verified is watched like everybody else, and its alerts say so. Its buffer is made larger, too, but
 * out of half of the account, and only as long as that costs others no time: to look through the descriptors of a
 * process may take some hundred microseconds, and a crowd of strangers must not hold up the start of a sandbox.
 */
#include "keeper/inspect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "seccheckd/base/clock.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/log.h"

/* Looking through strangers may take so much of each second. */
#define STRANGERS_NS (20 * INT64_C(1000000))
#define WINDOW_NS    INT64_C(1000000000)

/* Of the connections that there may be: this part is left to root and us, and of the rest, this is one user's most. */
#define HOSTS_PART 4u
#define GUEST_PART 2u

/* For a line of the log about a buffer. */
#define OUTCOME_BYTES 160u

static uint64_t account_limit(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
	uint64_t eighth = pages > 0 && page_bytes > 0 ? (uint64_t)pages * (uint64_t)page_bytes / 8 : UINT64_MAX;

	return eighth < SCD_LIMIT_SNDBUF_TOTAL_BYTES ? eighth : SCD_LIMIT_SNDBUF_TOTAL_BYTES;
}

static int copy_paths(struct scd__inspector *inspector, const struct scd_keeper_options *options)
{
	inspector->runsc_paths = calloc(options->runsc_count, sizeof(*inspector->runsc_paths));
	if (options->runsc_count && !inspector->runsc_paths)
		return -ENOMEM;
	for (size_t i = 0; i < options->runsc_count; i++) {
		inspector->runsc_paths[i] = strdup(options->runsc_paths[i]);
		if (!inspector->runsc_paths[i])
			return -ENOMEM;
		inspector->runsc_count++;
	}
	return 0;
}

static int copy_uids(struct scd__inspector *inspector, const struct scd_keeper_options *options)
{
	const uint32_t usual[] = { 0, geteuid() };
	const uint32_t *uids = options->allowed_uid_count ? options->allowed_uids : usual;
	size_t count = options->allowed_uid_count ? options->allowed_uid_count : sizeof(usual) / sizeof(usual[0]);

	inspector->allowed_uids = calloc(count, sizeof(*uids));
	inspector->shares = calloc(count, sizeof(*inspector->shares));
	if (!inspector->allowed_uids || !inspector->shares)
		return -ENOMEM;
	memcpy(inspector->allowed_uids, uids, count * sizeof(*uids));
	inspector->allowed_uid_count = count;
	return 0;
}

int scd__inspector_init(struct scd__inspector *inspector, const struct scd_keeper_options *options)
{
	int r = copy_paths(inspector, options);

	inspector->all.limit_bytes = account_limit();
	inspector->strangers.limit_bytes = inspector->all.limit_bytes / 2;
	return r < 0 ? r : copy_uids(inspector, options);
}

void scd__inspector_done(struct scd__inspector *inspector)
{
	for (size_t i = 0; i < inspector->runsc_count; i++)
		free(inspector->runsc_paths[i]);
	free(inspector->runsc_paths);
	free(inspector->allowed_uids);
	free(inspector->shares);
	*inspector = (struct scd__inspector){ 0 };
}

/* Its connections; NULL: it may not connect. */
static size_t *share_of(const struct scd__inspector *inspector, uint32_t uid)
{
	for (size_t i = 0; i < inspector->allowed_uid_count; i++) {
		if (inspector->allowed_uids[i] == uid)
			return &inspector->shares[i];
	}
	return NULL;
}

bool scd__inspector_allows(const struct scd__inspector *inspector, uint32_t uid)
{
	return share_of(inspector, uid);
}

static bool is_guest(uint32_t uid)
{
	return uid != 0 && uid != geteuid();
}

bool scd__inspector_has_share(const struct scd__inspector *inspector, uint32_t uid, size_t limit)
{
	const size_t for_guests = limit - limit / HOSTS_PART, *share = share_of(inspector, uid);

	if (!is_guest(uid))
		return true;
	return share && inspector->guests < for_guests && *share < for_guests / GUEST_PART;
}

void scd__inspector_take_share(struct scd__inspector *inspector, uint32_t uid)
{
	size_t *share = share_of(inspector, uid);

	if (share)
		++*share;
	inspector->guests += is_guest(uid);
}

static void give_share_back(struct scd__inspector *inspector, uint32_t uid)
{
	size_t *share = share_of(inspector, uid);

	if (!share || *share == 0)
		return;
	--*share;
	inspector->guests -= is_guest(uid);
}

static uint32_t offer_to(const struct scd__inspector *inspector, bool verified)
{
	uint32_t offer = scd__sndbuf_offer(&inspector->all);
	uint32_t for_stranger = scd__sndbuf_offer(&inspector->strangers);

	return verified || offer < for_stranger ? offer : for_stranger;
}

static int64_t enlarge(struct scd__inspector *inspector, struct scd__connection *connection, struct scd__peer *peer)
{
	uint32_t offer = offer_to(inspector, peer->verified);
	int64_t got = scd__enlarge(peer, connection->fd, connection->listener, offer);

	if (got <= 0)
		return got;
	connection->sndbuf_bytes = (uint32_t)got;
	scd__sndbuf_take(&inspector->all, connection->sndbuf_bytes);
	if (!peer->verified)
		scd__sndbuf_take(&inspector->strangers, connection->sndbuf_bytes);
	if (got < offer && !inspector->told_size) {
		inspector->told_size = true;
		scd_log(SCD_LOG_NOTICE,
		        "send buffers of %" PRId64 " bytes is what the kernel gives instead of %u: raise "
		        "net.core.wmem_max to %u, or give seccheckd CAP_NET_ADMIN",
		        got, offer, offer / 2);
	}
	return got;
}

static int64_t enlarge_stranger(struct scd__inspector *inspector, struct scd__connection *connection,
                                struct scd__peer *peer)
{
	int64_t start_ns = scd_clock_mono_ns(), got;

	if (start_ns >= inspector->window_end_ns) {
		inspector->window_end_ns = start_ns + WINDOW_NS;
		inspector->strangers_ns = 0;
	}
	if (inspector->strangers_ns >= STRANGERS_NS)
		return -EBUSY;
	got = enlarge(inspector, connection, peer);
	inspector->strangers_ns += scd_clock_mono_ns() - start_ns;
	return got;
}

void scd__inspector_forget(struct scd__inspector *inspector, const struct scd__connection *connection)
{
	give_share_back(inspector, connection->uid);
	scd__sndbuf_give_back(&inspector->all, connection->sndbuf_bytes);
	if (!connection->sandbox_id[0])
		scd__sndbuf_give_back(&inspector->strangers, connection->sndbuf_bytes);
}

static void count(struct scd_keeper_counters *counters, const struct scd__peer *peer, int64_t got)
{
	*(peer->verified ? &counters->verified : &counters->unverified) += 1;
	if (got <= 0)
		counters->sndbufs_unchanged++;
	else if (got < SCD_LIMIT_SNDBUF_BYTES)
		counters->sndbufs_partly_enlarged++;
	else
		counters->sndbufs_enlarged++;
}

static void describe(int64_t got, char ret_outcome[OUTCOME_BYTES])
{
	if (got > 0)
		snprintf(ret_outcome, OUTCOME_BYTES, "send buffer of %" PRId64 " bytes", got);
	else
		snprintf(ret_outcome, OUTCOME_BYTES, "its send buffer stays as it is: %s",
		         got == -EBUSY ? "too many unverified ones connect at once" : scd__enlarge_reason((int)got));
}

static void log_inspection(const struct scd__connection *connection, const struct scd__peer *peer, int64_t got)
{
	static struct scd_log_gate verified_gate = SCD_LOG_GATE(50), unverified_gate = SCD_LOG_GATE(10);
	char outcome[OUTCOME_BYTES];

	describe(got, outcome);
	if (peer->verified)
		scd_log_gated(&verified_gate, SCD_LOG_INFO,
		              "sandbox %s: connection %" PRIu64 " of pid %" PRIu32 ", runsc " SCD_STR_FMT
		              "; root " SCD_STR_FMT " of uid %" PRIu32 "; %s",
		              connection->sandbox_id, connection->id, connection->pid, SCD_STR_ARG(peer->subcommand),
		              SCD_STR_ARG(peer->runsc_root), connection->uid, outcome);
	else
		scd_log_gated(&unverified_gate, SCD_LOG_NOTICE,
		              "connection %" PRIu64 " of pid %" PRIu32 ", uid %" PRIu32 " is not verified: %s; %s",
		              connection->id, connection->pid, connection->uid, peer->reason, outcome);
}

static void tell_of_privilege(struct scd__inspector *inspector)
{
	if (inspector->told_privilege)
		return;
	inspector->told_privilege = true;
	scd_log(SCD_LOG_NOTICE, "without CAP_SYS_PTRACE, connections are not verified and keep their small send "
	                        "buffers, which lose messages under load");
}

void scd__inspector_inspect(struct scd__inspector *inspector, struct scd__connection *connection,
                            struct scd_keeper_counters *counters)
{
	const struct scd__identity_options options = { (const char *const *)inspector->runsc_paths,
		                                       inspector->runsc_count };
	struct scd__peer peer;
	int64_t got;

	scd__peer_identify(connection->fd, &options, &peer);
	if (peer.verified) /* an id is never longer than there is room */
		snprintf(connection->sandbox_id, sizeof(connection->sandbox_id), SCD_STR_FMT,
		         SCD_STR_ARG(peer.sandbox_id));
	got = peer.verified ? enlarge(inspector, connection, &peer) : enlarge_stranger(inspector, connection, &peer);
	if (got == -EPERM)
		tell_of_privilege(inspector);
	count(counters, &peer, got);
	log_inspection(connection, &peer, got);
	scd__peer_done(&peer);
}
