/*
 * Tables of names, in Falco's order: the order in which names are joined is seen by rules. Names that Falco does not
 * know are left out, as are those of bits that no message of gVisor sets.
 */
#include "engine/flag_names.h"
#include "seccheckd/base/array.h"

#include <string.h>
#include <sys/socket.h>

#define ACCESS_MODE 3u /* of open's flags: read only, write only, both */
#define BIT(n)      (UINT64_C(1) << (n))

static const struct scd__flag_name open_names[] = {
	{ "O_LARGEFILE", 0100000, BIT(11) }, { "O_DIRECTORY", 0200000, BIT(10) }, { "O_DIRECT", 040000, BIT(9) },
	{ "O_TRUNC", 01000, BIT(8) },        { "O_SYNC", 04010000, BIT(7) },      { "O_NONBLOCK", 04000, BIT(6) },
	{ "O_EXCL", 0200, BIT(5) },          { "O_DSYNC", 010000, BIT(4) },       { "O_APPEND", 02000, BIT(3) },
	{ "O_CREAT", 0100, BIT(2) },         { "O_RDWR", 2, BIT(1) | BIT(0) },    { "O_WRONLY", 1, BIT(1) },
	{ "O_RDONLY", 0, BIT(0) },           { "O_CLOEXEC", 02000000, BIT(12) },  { "O_TMPFILE", 020200000, BIT(13) },
};

static const struct scd__flag_name clone_names[] = {
	{ "CLONE_FILES", 0x400, BIT(0) },
	{ "CLONE_FS", 0x200, BIT(1) },
	{ "CLONE_IO", 0x80000000, BIT(2) },
	{ "CLONE_NEWIPC", 0x8000000, BIT(3) },
	{ "CLONE_NEWNET", 0x40000000, BIT(4) },
	{ "CLONE_NEWNS", 0x20000, BIT(5) },
	{ "CLONE_NEWPID", 0x20000000, BIT(6) },
	{ "CLONE_NEWUTS", 0x4000000, BIT(7) },
	{ "CLONE_PARENT", 0x8000, BIT(8) },
	{ "CLONE_PARENT_SETTID", 0x100000, BIT(9) },
	{ "CLONE_PTRACE", 0x2000, BIT(10) },
	{ "CLONE_SIGHAND", 0x800, BIT(11) },
	{ "CLONE_SYSVSEM", 0x40000, BIT(12) },
	{ "CLONE_THREAD", 0x10000, BIT(13) },
	{ "CLONE_UNTRACED", 0x800000, BIT(14) },
	{ "CLONE_VM", 0x100, BIT(15) },
	{ "CLONE_NEWUSER", 0x10000000, BIT(20) },
	{ "CLONE_CHILD_CLEARTID", 0x200000, BIT(23) },
	{ "CLONE_CHILD_SETTID", 0x1000000, BIT(24) },
	{ "CLONE_SETTLS", 0x80000, BIT(25) },
	{ "CLONE_VFORK", 0x4000, BIT(27) },
	{ "CLONE_NEWCGROUP", 0x2000000, BIT(28) },
};

/* Falco's own: what an exec tells of its file. */
static const struct scd__flag_name exec_names[] = {
	{ "EXE_UPPER_LAYER", BIT(1), BIT(1) },
	{ "EXE_FROM_MEMFD", BIT(2), BIT(2) },
	{ "EXE_LOWER_LAYER", BIT(3), BIT(3) },
};

static const struct scd__flag_name prot_names[] = {
	{ "PROT_READ", 1, BIT(0) },
	{ "PROT_WRITE", 2, BIT(1) },
	{ "PROT_EXEC", 4, BIT(2) },
	{ "PROT_SEM", 8, BIT(3) },
	{ "PROT_GROWSDOWN", 0x1000000, BIT(4) },
	{ "PROT_GROWSUP", 0x2000000, BIT(5) },
	{ "PROT_NONE", 0, 0 },
};

static const struct scd__flag_name mmap_names[] = {
	{ "MAP_SHARED", 1, BIT(0) },         { "MAP_PRIVATE", 2, BIT(1) },          { "MAP_FIXED", 0x10, BIT(2) },
	{ "MAP_ANONYMOUS", 0x20, BIT(3) },   { "MAP_32BIT", 0x40, BIT(4) },         { "MAP_NORESERVE", 0x4000, BIT(6) },
	{ "MAP_POPULATE", 0x8000, BIT(7) },  { "MAP_NONBLOCK", 0x10000, BIT(8) },   { "MAP_GROWSDOWN", 0x100, BIT(9) },
	{ "MAP_DENYWRITE", 0x800, BIT(10) }, { "MAP_EXECUTABLE", 0x1000, BIT(11) }, { "MAP_LOCKED", 0x2000, BIT(14) },
};

static const struct scd__flag_name mode_names[] = {
	{ "S_IXOTH", 01, 01 },       { "S_IWOTH", 02, 02 },       { "S_IROTH", 04, 04 },
	{ "S_IXGRP", 010, 010 },     { "S_IWGRP", 020, 020 },     { "S_IRGRP", 040, 040 },
	{ "S_IXUSR", 0100, 0100 },   { "S_IWUSR", 0200, 0200 },   { "S_IRUSR", 0400, 0400 },
	{ "S_ISVTX", 01000, 01000 }, { "S_ISGID", 02000, 02000 }, { "S_ISUID", 04000, 04000 },
};

#define FAMILY(name)              \
	{                         \
#name, name, name \
	}
static const struct scd__flag_name family_names[] = {
	FAMILY(AF_NFC),     FAMILY(AF_ALG),    FAMILY(AF_CAIF),    FAMILY(AF_IEEE802154), FAMILY(AF_PHONET),
	FAMILY(AF_ISDN),    FAMILY(AF_RXRPC),  FAMILY(AF_IUCV),    FAMILY(AF_BLUETOOTH),  FAMILY(AF_TIPC),
	FAMILY(AF_CAN),     FAMILY(AF_LLC),    FAMILY(AF_WANPIPE), FAMILY(AF_PPPOX),      FAMILY(AF_IRDA),
	FAMILY(AF_SNA),     FAMILY(AF_RDS),    FAMILY(AF_ATMSVC),  FAMILY(AF_ECONET),     FAMILY(AF_ASH),
	FAMILY(AF_PACKET),  FAMILY(AF_ROUTE),  FAMILY(AF_NETLINK), FAMILY(AF_KEY),        FAMILY(AF_SECURITY),
	FAMILY(AF_NETBEUI), FAMILY(AF_DECnet), FAMILY(AF_ROSE),    FAMILY(AF_INET6),      FAMILY(AF_X25),
	FAMILY(AF_ATMPVC),  FAMILY(AF_BRIDGE), FAMILY(AF_NETROM),  FAMILY(AF_APPLETALK),  FAMILY(AF_IPX),
	FAMILY(AF_AX25),    FAMILY(AF_INET),   FAMILY(AF_LOCAL),   FAMILY(AF_UNIX),       FAMILY(AF_UNSPEC),
};

static const struct scd__flag_name ptrace_names[] = {
	{ "PTRACE_SINGLEBLOCK", 33, 38 },
	{ "PTRACE_SYSEMU_SINGLESTEP", 32, 37 },
	{ "PTRACE_SYSEMU", 31, 36 },
	{ "PTRACE_ARCH_PRCTL", 30, 35 },
	{ "PTRACE_SET_THREAD_AREA", 26, 34 },
	{ "PTRACE_GET_THREAD_AREA", 25, 33 },
	{ "PTRACE_OLDSETOPTIONS", 21, 32 },
	{ "PTRACE_SETFPXREGS", 19, 31 },
	{ "PTRACE_GETFPXREGS", 18, 30 },
	{ "PTRACE_SETFPREGS", 15, 29 },
	{ "PTRACE_GETFPREGS", 14, 28 },
	{ "PTRACE_SETREGS", 13, 27 },
	{ "PTRACE_GETREGS", 12, 26 },
	{ "PTRACE_SETSIGMASK", 0x420b, 25 },
	{ "PTRACE_GETSIGMASK", 0x420a, 24 },
	{ "PTRACE_PEEKSIGINFO", 0x4209, 23 },
	{ "PTRACE_LISTEN", 0x4208, 22 },
	{ "PTRACE_INTERRUPT", 0x4207, 21 },
	{ "PTRACE_SEIZE", 0x4206, 20 },
	{ "PTRACE_SETREGSET", 0x4205, 19 },
	{ "PTRACE_GETREGSET", 0x4204, 18 },
	{ "PTRACE_SETSIGINFO", 0x4203, 17 },
	{ "PTRACE_GETSIGINFO", 0x4202, 16 },
	{ "PTRACE_GETEVENTMSG", 0x4201, 15 },
	{ "PTRACE_SETOPTIONS", 0x4200, 14 },
	{ "PTRACE_SYSCALL", 24, 13 },
	{ "PTRACE_DETACH", 17, 12 },
	{ "PTRACE_ATTACH", 16, 11 },
	{ "PTRACE_SINGLESTEP", 9, 10 },
	{ "PTRACE_KILL", 8, 9 },
	{ "PTRACE_CONT", 7, 8 },
	{ "PTRACE_POKEUSR", 6, 7 },
	{ "PTRACE_POKEDATA", 5, 6 },
	{ "PTRACE_POKETEXT", 4, 5 },
	{ "PTRACE_PEEKUSR", 3, 4 },
	{ "PTRACE_PEEKDATA", 2, 3 },
	{ "PTRACE_PEEKTEXT", 1, 2 },
	{ "PTRACE_TRACEME", 0, 1 },
};

#define NUMBER(number, name)         \
	{                            \
		name, number, number \
	}
static const struct scd__flag_name signal_names[] = {
	NUMBER(1, "SIGHUP"),   NUMBER(2, "SIGINT"),     NUMBER(3, "SIGQUIT"),  NUMBER(4, "SIGILL"),
	NUMBER(5, "SIGTRAP"),  NUMBER(6, "SIGABRT"),    NUMBER(7, "SIGBUS"),   NUMBER(8, "SIGFPE"),
	NUMBER(9, "SIGKILL"),  NUMBER(10, "SIGUSR1"),   NUMBER(11, "SIGSEGV"), NUMBER(12, "SIGUSR2"),
	NUMBER(13, "SIGPIPE"), NUMBER(14, "SIGALRM"),   NUMBER(15, "SIGTERM"), NUMBER(16, "SIGSTKFLT"),
	NUMBER(17, "SIGCHLD"), NUMBER(18, "SIGCONT"),   NUMBER(19, "SIGSTOP"), NUMBER(20, "SIGTSTP"),
	NUMBER(21, "SIGTTIN"), NUMBER(22, "SIGTTOU"),   NUMBER(23, "SIGURG"),  NUMBER(24, "SIGXCPU"),
	NUMBER(25, "SIGXFSZ"), NUMBER(26, "SIGVTALRM"), NUMBER(27, "SIGPROF"), NUMBER(28, "SIGWINCH"),
	NUMBER(29, "SIGIO"),   NUMBER(30, "SIGPWR"),    NUMBER(31, "SIGSYS"),
};
static const struct scd__flag_name bpf_names[] = {
	NUMBER(0, "BPF_MAP_CREATE"),
	NUMBER(1, "BPF_MAP_LOOKUP_ELEM"),
	NUMBER(2, "BPF_MAP_UPDATE_ELEM"),
	NUMBER(3, "BPF_MAP_DELETE_ELEM"),
	NUMBER(4, "BPF_MAP_GET_NEXT_KEY"),
	NUMBER(5, "BPF_PROG_LOAD"),
	NUMBER(6, "BPF_OBJ_PIN"),
	NUMBER(7, "BPF_OBJ_GET"),
	NUMBER(8, "BPF_PROG_ATTACH"),
	NUMBER(9, "BPF_PROG_DETACH"),
	NUMBER(10, "BPF_PROG_TEST_RUN"),
	NUMBER(11, "BPF_PROG_GET_NEXT_ID"),
	NUMBER(12, "BPF_MAP_GET_NEXT_ID"),
	NUMBER(13, "BPF_PROG_GET_FD_BY_ID"),
	NUMBER(14, "BPF_MAP_GET_FD_BY_ID"),
	NUMBER(15, "BPF_OBJ_GET_INFO_BY_FD"),
	NUMBER(16, "BPF_PROG_QUERY"),
	NUMBER(17, "BPF_RAW_TRACEPOINT_OPEN"),
	NUMBER(18, "BPF_BTF_LOAD"),
	NUMBER(19, "BPF_BTF_GET_FD_BY_ID"),
	NUMBER(20, "BPF_TASK_FD_QUERY"),
	NUMBER(21, "BPF_MAP_LOOKUP_AND_DELETE_ELEM"),
	NUMBER(22, "BPF_MAP_FREEZE"),
	NUMBER(23, "BPF_BTF_GET_NEXT_ID"),
	NUMBER(24, "BPF_MAP_LOOKUP_BATCH"),
	NUMBER(25, "BPF_MAP_LOOKUP_AND_DELETE_BATCH"),
	NUMBER(26, "BPF_MAP_UPDATE_BATCH"),
	NUMBER(27, "BPF_MAP_DELETE_BATCH"),
	NUMBER(28, "BPF_LINK_CREATE"),
	NUMBER(29, "BPF_LINK_UPDATE"),
	NUMBER(30, "BPF_LINK_GET_FD_BY_ID"),
	NUMBER(31, "BPF_LINK_GET_NEXT_ID"),
	NUMBER(32, "BPF_ENABLE_STATS"),
	NUMBER(33, "BPF_ITER_CREATE"),
	NUMBER(34, "BPF_LINK_DETACH"),
	NUMBER(35, "BPF_PROG_BIND_MAP"),
};
#define NAMES(kind, names)                        \
	{                                         \
		(kind), (names), SCD_COUNT(names) \
	}

const struct scd__flag_names scd__open_flags = NAMES(SCD__FLAGS_OPEN, open_names);
const struct scd__flag_names scd__clone_flags = NAMES(SCD__FLAGS_SET, clone_names);
const struct scd__flag_names scd__exec_flags = NAMES(SCD__FLAGS_SET, exec_names);
const struct scd__flag_names scd__prot_flags = NAMES(SCD__FLAGS_SET, prot_names);
const struct scd__flag_names scd__mmap_flags = NAMES(SCD__FLAGS_SET, mmap_names);
const struct scd__flag_names scd__file_modes = NAMES(SCD__FLAGS_SET, mode_names);
const struct scd__flag_names scd__socket_families = NAMES(SCD__FLAGS_VALUE, family_names);
const struct scd__flag_names scd__ptrace_requests = NAMES(SCD__FLAGS_VALUE, ptrace_names);
const struct scd__flag_names scd__signals = NAMES(SCD__FLAGS_VALUE, signal_names);
const struct scd__flag_names scd__bpf_commands = NAMES(SCD__FLAGS_VALUE, bpf_names);

static bool holds(enum scd__flag_kind kind, const struct scd__flag_name *flag, uint64_t bits)
{
	if (kind == SCD__FLAGS_VALUE)
		return flag->bits == bits;
	if (kind == SCD__FLAGS_OPEN && flag->bits <= ACCESS_MODE) {
		/* Linux knows no mode 3; Falco takes it for reading. */
		uint64_t mode = (bits & ACCESS_MODE) == ACCESS_MODE ? 0 : bits & ACCESS_MODE;
		return flag->bits == mode;
	}
	if (flag->bits == 0)
		return bits == 0;
	return (bits & flag->bits) == flag->bits;
}

uint64_t scd__flag_code(const struct scd__flag_names *flags, uint64_t bits)
{
	uint64_t code = 0;
	for (size_t i = 0; i < flags->count; i++)
		if (holds(flags->kind, &flags->names[i], bits))
			code |= flags->names[i].code;
	return code;
}

struct scd_str scd__flag_text(const struct scd__flag_names *flags, uint64_t bits, struct scd_arena *arena)
{
	char text[512];
	size_t len = 0;
	for (size_t i = 0; i < flags->count; i++) {
		const struct scd__flag_name *flag = &flags->names[i];
		size_t name_len = strlen(flag->name);
		if (!holds(flags->kind, flag, bits) || len + name_len + 1 > sizeof(text))
			continue;
		if (len > 0)
			text[len++] = '|';
		memcpy(text + len, flag->name, name_len);
		len += name_len;
	}
	return scd_arena_dup(arena, (struct scd_str){ text, len });
}
