/*
 * Every limit on what a peer or a file can make us do, in one place: its value, and why that value. What happens at
 * each of them, and which counter tells, stands in docs/threat-model.md; a test sees to it that each is there.
 */
#ifndef SECCHECKD_BASE_LIMITS_H
#define SECCHECKD_BASE_LIMITS_H

/*
 * The largest message. A sender's sk_buff holds no more than about 4,394,304 bytes (measured: 4,254,304 pass,
 * 4,394,304 get ENOBUFS), and legal execve messages of 3.8 MB exist (2 MiB each of argv and env). 4.5 MiB receives
 * all of them.
 */
#define SCD_LIMIT_MESSAGE_BYTES (4718592u)

/* Handshake messages are two bytes today; a newer peer may add fields. */
#define SCD_LIMIT_HANDSHAKE_BYTES 1024u

/* A peer that connected has this long to send its handshake. */
#define SCD_LIMIT_HANDSHAKE_MS 2000u

/*
 * A connection that has sent nothing for this long since it came is told of as silent. The first message of a sandbox
 * is there with its first process, which is less than a second after the handshake, also on a busy host.
 */
#define SCD_LIMIT_SILENT_MS 10000u

/* Connections at once, for each of which keeper and worker have a descriptor; fewer where RLIMIT_NOFILE says so. */
#define SCD_LIMIT_CONNECTIONS 16384u

/*
 * A worker that follows another one has this long to load what its predecessor kept; the largest rule files take some
 * seconds. The first one may take as long as it needs.
 */
#define SCD_LIMIT_WORKER_LOADING_MS 60000u

/*
 * A worker of which a thread has shown no sign of life for this long is killed and followed by another: it shows one
 * each second, and a message that takes a whole second to evaluate is a mistake. Five of them are what a machine
 * that swaps may need.
 */
#define SCD_LIMIT_WORKER_SILENT_MS 5000u

/*
 * A connection that was being read when so many workers crashed or hung is read no more: once may be chance, and each
 * time costs every sandbox its state.
 */
#define SCD_LIMIT_CONNECTION_STRIKES 3u

/*
 * Looking at who connects: bytes of its arguments (of which only `trace create` needs the last; containerd's have
 * about 1 KiB), and its descriptors, each of which costs one to three microseconds of a start (runsc has about a
 * dozen).
 */
#define SCD_LIMIT_PEER_ARGS_BYTES  8192u
#define SCD_LIMIT_PEER_DESCRIPTORS 64u

/*
 * The send buffer that a sandbox gets, as getsockopt(2) reports it: 10,923 messages of the usual size, 80 ms of a
 * very busy sandbox. And the kernel memory that all of them together may fill while nobody reads: 961 sandboxes have
 * all they want, 252 more have less. It is never more than an eighth of the host's memory.
 */
#define SCD_LIMIT_SNDBUF_BYTES       (8u << 20)
#define SCD_LIMIT_SNDBUF_TOTAL_BYTES ((uint64_t)8 << 30)

/*
 * Text of one field. A longer one keeps its head and its tail, with a mark between them (SCD_FIELD_CUT), and the
 * event is marked as truncated. Rules look at each byte once for each of their constants, so a command line of a
 * whole message would be seconds of a worker that all its sandboxes share; and a rule set with many forms of it would
 * find no memory left. A path has 4 KiB and an ordinary command line fewer, so 64 KiB is more than anything honest
 * but lists of files.
 */
#define SCD_LIMIT_FIELD_TEXT_BYTES 65536u

/*
 * Scratch memory for one event: the spans of the largest message's strings (4 MiB), names, resolved paths, and two
 * hundred texts of fields that are as long as they may be. Strings of the message itself are not copied.
 */
#define SCD_LIMIT_EVENT_ARENA_BYTES (4u * SCD_LIMIT_MESSAGE_BYTES)

/*
 * Repeated strings (argv, env) of one message that are looked at; more are counted, and the flag `truncated` is set.
 */
#define SCD_LIMIT_EVENT_STRINGS 262144u

/* Nesting of protobuf messages: the deepest known path is ExecveInfo.pipe_input_proc.context_data.credentials (4). */
#define SCD_LIMIT_PROTO_DEPTH 8u

/*
 * Printing a message: nesting, of groups that we do not know among it (protobuf's own limit), and the line. The
 * largest message as octal escapes is a quarter of it; deep nesting, indented, would be fifty times the message.
 */
#define SCD_LIMIT_PRINT_DEPTH 100u
#define SCD_LIMIT_PRINT_BYTES (64u << 20)

/* Processes a sandbox may have in state; the least recently used go first, counted, and the sandbox is tainted. */
#define SCD_LIMIT_SANDBOX_PROCESSES 16384u

/* Bytes of strings (exe, arguments, cwd) and of descriptors a sandbox may have in state. */
#define SCD_LIMIT_SANDBOX_STRING_BYTES (32u << 20)

/* Bytes of a process's arguments kept in state: head and tail of a longer list are kept, the middle is cut. */
#define SCD_LIMIT_PROCESS_ARGS_BYTES 16384u

/* Containers a sandbox (a pod) may have in state, and the bytes of an id (containerd's are 64). */
#define SCD_LIMIT_SANDBOX_CONTAINERS 256u
#define SCD_LIMIT_CONTAINER_ID_BYTES 256u

/*
 * Names and paths of a process in state: Linux's comm has 15 bytes and its paths 4095. The head of a longer one
 * stays.
 */
#define SCD_LIMIT_PROCESS_NAME_BYTES 64u
#define SCD_LIMIT_PROCESS_PATH_BYTES 4096u

/*
 * Descriptors a process may have in state: more than servers have of their own. Over it, those of the 32 neighbours
 * that changed longest ago are forgotten, counted, and the sandbox is tainted.
 */
#define SCD_LIMIT_PROCESS_FDS 4096u

/*
 * A raw exit whose thread says nothing more waits for its sibling for so long in the sandbox's time, or so many
 * messages of it where that does not go on; then its call was hidden. The two are sent one right after the other, so
 * that only a few messages of other threads lie between them. A host that is very busy may stop a thread for a good
 * part of a second, in which the fastest sandbox sends a quarter of a million.
 */
#define SCD_LIMIT_WITNESS_MS       2000u
#define SCD_LIMIT_WITNESS_MESSAGES 262144u

/*
 * A sandbox's clock may be so far ahead of the host's, from which gVisor takes it. What is later is not taken for the
 * time of its events that carry none.
 */
#define SCD_LIMIT_TIME_AHEAD_MS 60000u

/* Ancestors walked by a field (proc.aname) and reported in a SecurityEvent. */
#define SCD_LIMIT_LINEAGE_DEPTH 32u

/* A rule file, and all that a rule file expands to. Upstream's largest is 95 KB; generated lists are larger. */
#define SCD_LIMIT_RULE_FILE_BYTES   (64u << 20)
#define SCD_LIMIT_YAML_NODES        4000000u
#define SCD_LIMIT_YAML_DEPTH        64u
#define SCD_LIMIT_CONFIG_FILE_BYTES (1u << 20)

/* Tags and exceptions of one rule, which are looked through one after the other. Upstream's have 12 and 6 at most. */
#define SCD_LIMIT_RULE_TAGS       1000u
#define SCD_LIMIT_RULE_EXCEPTIONS 1000u

/*
 * The texts of all rule files together that a worker keeps in memory for the one that follows it: many times what rule
 * packs and generated lists have, and no more than a daemon may keep for a case that may never come.
 */
#define SCD_LIMIT_BUNDLE_BYTES (256u << 20)

/* A condition after list substitution; macros are nodes, not text. */
#define SCD_LIMIT_CONDITION_BYTES (64u << 20)

/*
 * Checks of one rule's condition after macros were put in, which grow exponentially when macros use macros. A
 * condition this long, without its lists, would be some megabytes of text.
 */
#define SCD_LIMIT_CONDITION_NODES 262144u

/* Falco's recursion limits: of the plain parser, and of conditions in rule files. */
#define SCD_LIMIT_PARSE_DEPTH      100u
#define SCD_LIMIT_RULE_PARSE_DEPTH 1000u

/* A constant of a condition (Falco's own limit: more is a compile error). */
#define SCD_LIMIT_CONSTANT_BYTES 255u

/*
 * Memory of one regular expression, compiled, with what it remembers of the texts it has met. A tenth of it holds any
 * sensible pattern; RE2 forgets when it is full, and goes on more slowly.
 */
#define SCD_LIMIT_REGEX_BYTES (2 << 20)

/*
 * The same of all regular expressions of a generation together: from 128 on, each may take an equal share. Sandboxes
 * choose the texts, and so how much of it is used.
 */
#define SCD_LIMIT_REGEXES_BYTES (256 << 20)

/*
 * The steps of one regular expression, as RE2 counts them (an ordinary one has some hundred, `.{300}` has 2,400), and
 * what one match may cost: steps times bytes of the text, of which a longer one keeps head and tail. A step and byte
 * takes 4 to 10 ns at worst, so a match takes less than 50 ms; at the most steps a text of 1 KiB is still seen whole,
 * with 64 steps each text that a field can have.
 */
#define SCD_LIMIT_REGEX_PROGRAM 4096u
#define SCD_LIMIT_REGEX_WORK    (4u << 20)

/*
 * Memory of one generation of rules, and as much for making it: all of it for large files, and for smaller ones their
 * bytes times a growth that none but macros of macros reach, or what small ones may have in any case.
 */
#define SCD_LIMIT_RULESET_BYTES       ((size_t)2 << 30)
#define SCD_LIMIT_SMALL_RULESET_BYTES ((size_t)256 << 20)
#define SCD_LIMIT_RULESET_GROWTH      64u

/* The text of one alert; a longer one is cut. Its fields together may have as much again, each an equal share. */
#define SCD_LIMIT_OUTPUT_BYTES 65536u

/* Any other text of an alert: a path (PATH_MAX), a name, an id, the description of a rule. */
#define SCD_LIMIT_ALERT_TEXT_BYTES 4096u

/*
 * What an alert tells of one ancestor: each text, and all arguments. 32 of them with all that state keeps would be
 * half a megabyte an alert, and a tenant that makes such alerts would own the queues of the outputs.
 */
#define SCD_LIMIT_ANCESTOR_TEXT_BYTES 512u
#define SCD_LIMIT_ANCESTOR_ARGS_BYTES 1024u

/*
 * Memory to make one alert with. The worst of what the limits above leave (16,384 empty arguments, all texts full,
 * secrets in all of them) takes a quarter of it.
 */
#define SCD_LIMIT_ALERT_ARENA_BYTES (4u << 20)

/* Alerts waiting for an output; over it the sandbox with most of them loses its oldest, counted. */
#define SCD_LIMIT_OUTPUT_QUEUE_COUNT 65536u
#define SCD_LIMIT_OUTPUT_QUEUE_BYTES (64u << 20)

/*
 * Packed alerts of one request to a control plane. As JSON they are about twice that, which is what servers take
 * unless they are told otherwise (nginx: 1 MiB). An alert that is larger goes alone.
 */
#define SCD_LIMIT_BATCH_BYTES (512u << 10)

/*
 * Bytes that wait for the disk: of one recording, twice what a socket can hold when it is read, which is also half a
 * second of a very busy sandbox; and of all recordings, which a disk of 32 MiB a second takes in 4 of the 10 seconds
 * that an ordered stop may last. Beyond either, messages are left out of the recording.
 */
#define SCD_LIMIT_RECORDING_QUEUE_BYTES (32u << 20)
#define SCD_LIMIT_RECORDER_QUEUE_BYTES  (128u << 20)

/* The body of a control plane's answer. */
#define SCD_LIMIT_HTTP_ANSWER_BYTES (1u << 20)

/* A file of certificates, or a key: all authorities of a system together have a quarter of it. */
#define SCD_LIMIT_PEM_BYTES (1u << 20)

#endif
