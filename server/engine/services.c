/*
 * The usual names of services(5), with Debian's spelling and common aliases.
 *
 * Falco asks the host's name service. Then the same rule means another port, or none, on the next host, and asking
 * may even go to the network; so the names are here.
 */
#include "engine/services.h"

#include "seccheckd/base/array.h"

static const struct service {
	const char *name;
	uint16_t port;
} services[] = {
	{ "echo", 7 },           { "discard", 9 },        { "daytime", 13 },
	{ "chargen", 19 },       { "ftp-data", 20 },      { "ftp", 21 },
	{ "ssh", 22 },           { "telnet", 23 },        { "smtp", 25 },
	{ "time", 37 },          { "whois", 43 },         { "domain", 53 },
	{ "bootps", 67 },        { "bootpc", 68 },        { "tftp", 69 },
	{ "gopher", 70 },        { "finger", 79 },        { "http", 80 },
	{ "www", 80 },           { "kerberos", 88 },      { "pop3", 110 },
	{ "sunrpc", 111 },       { "auth", 113 },         { "nntp", 119 },
	{ "ntp", 123 },          { "epmap", 135 },        { "netbios-ns", 137 },
	{ "netbios-dgm", 138 },  { "netbios-ssn", 139 },  { "imap", 143 },
	{ "imap2", 143 },        { "snmp", 161 },         { "snmp-trap", 162 },
	{ "bgp", 179 },          { "ldap", 389 },         { "https", 443 },
	{ "microsoft-ds", 445 }, { "submissions", 465 },  { "isakmp", 500 },
	{ "exec", 512 },         { "login", 513 },        { "shell", 514 },
	{ "syslog", 514 },       { "printer", 515 },      { "rtsp", 554 },
	{ "submission", 587 },   { "ipp", 631 },          { "ldaps", 636 },
	{ "domain-s", 853 },     { "rsync", 873 },        { "ftps-data", 989 },
	{ "ftps", 990 },         { "imaps", 993 },        { "pop3s", 995 },
	{ "socks", 1080 },       { "openvpn", 1194 },     { "ms-sql-s", 1433 },
	{ "ms-sql-m", 1434 },    { "radius", 1812 },      { "radius-acct", 1813 },
	{ "nfs", 2049 },         { "mysql", 3306 },       { "ms-wbt-server", 3389 },
	{ "svn", 3690 },         { "epmd", 4369 },        { "sip", 5060 },
	{ "sip-tls", 5061 },     { "xmpp-client", 5222 }, { "xmpp-server", 5269 },
	{ "mdns", 5353 },        { "postgresql", 5432 },  { "amqps", 5671 },
	{ "amqp", 5672 },        { "x11", 6000 },         { "redis", 6379 },
	{ "ircd", 6667 },        { "ircs-u", 6697 },      { "http-alt", 8080 },
	{ "git", 9418 },
};

bool scd__service_port(struct scd_str name, uint64_t *ret_port)
{
	for (size_t i = 0; i < SCD_COUNT(services); i++) {
		if (!scd_str_is(name, services[i].name))
			continue;
		*ret_port = services[i].port;
		return true;
	}
	return false;
}
