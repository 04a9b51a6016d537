// SPDX-License-Identifier: GPL-2.0
/*
 * The command: runs seeds, reports the first violation with its trace.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

int repl_mutation;
jmp_buf violation_jump;

static struct {
	u64 seed, seeds;
	u32 jobs;
	int scenario;
	int ack_policy;
	bool votes;
	u32 nodes, depth;
	bool no_faults;
	bool trace, keep_going, quiet, stats;
	const char *file;
} arg = { .seed = 1, .seeds = 1, .jobs = 1, .scenario = -1,
	  .ack_policy = -1 };

static volatile u64 running_seed;

static const char usage_text[] =
	"usage: blkrepl-sim [options]\n"
	"  --seed S           first seed (default 1)\n"
	"  --seeds N          how many (default 1)\n"
	"  --file F           replay the seeds of a file, one a line\n"
	"  --jobs J           processes\n"
	"  --ack-policy N     0 sync, 1 async, 2 quorum (else by the seed)\n"
	"  --votes            primaries are elected, under sync and async too\n"
	"  --scenario NAME    careful, split, reborn, resync, rollback, election,\n"
	"                     witness, clocks, laggard, slow-votes, policies,\n"
	"                     members, fencing, far, wide, blackout, resize, hostile\n"
	"                     (default: by seed)\n"
	"  --no-faults        only the application\n"
	"  --nodes N, --depth N  instead of what the seed says\n"
	"  --mutation NAME    turn a rule of the core off (name or number)\n"
	"  --list-mutations   print their names\n"
	"  --trace            print everything that happens\n"
	"  --keep-going       go on after a violation\n"
	"  --quiet            one line for a violation, no trace\n"
	"  --stats            what the seeds have seen\n";

/* An assertion of the core is a violation like any other. */
void __assert_fail(const char *expr, const char *file, unsigned int line,
		   const char *func)
{
	const char *f = strrchr(file, '/');

	violation("assertion", "%s:%u %s(): %s", f ? f + 1 : file, line, func,
		  expr);
}

static void on_alarm(int sig)
{
	(void)sig;
	violation("liveness", "an event does not end, or events never do");
}

#if !defined(__SANITIZE_ADDRESS__)
static void on_crash(int sig)
{
	char buf[120];
	int n = snprintf(buf, sizeof(buf),
			 "\nVIOLATION seed %llu: signal %d; run it with the asan build\n",
			 (unsigned long long)running_seed, sig);

	if (n > 0 && write(2, buf, (size_t)n) < 0)
		_exit(3);
	signal(sig, SIG_DFL);
	raise(sig);
}

#else
extern void __sanitizer_set_death_callback(void (*cb)(void));

static void on_death(void)
{
	fprintf(stderr, "VIOLATION seed %llu: memory error\n",
		(unsigned long long)running_seed);
	trace_dump(stderr);
}
#endif

static void watchdog(u32 seconds)
{
	struct itimerval it = { .it_value.tv_sec = seconds };

	setitimer(ITIMER_VIRTUAL, &it, NULL);
}

static void expand(struct sim_opts *o, u64 seed)
{
	opts_expand(o, seed, arg.scenario, arg.ack_policy, arg.votes);
	if (arg.no_faults)
		memset(o->weight, 0, sizeof(o->weight));
	if (arg.nodes)
		o->nodes = arg.nodes;
	if (arg.depth)
		o->depth = arg.depth;
}

/* False if a checker objects. */
static bool run_seed(u64 seed, bool trace, bool live)
{
	struct sim_opts o;

	running_seed = seed;
	expand(&o, seed);
	trace_reset(trace, live ? stdout : NULL);
	if (live)
		opts_print(stdout, &o);
	watchdog(20);
	if (setjmp(violation_jump)) {
		watchdog(0);
		return false;
	}
	world_run(&o);
	watchdog(0);
	return true;
}

static void report(u64 seed)
{
	struct sim_opts o;

	printf("VIOLATION seed %llu %s: %s\n", (unsigned long long)seed,
	       violation_checker, violation_text);
	if (arg.quiet)
		return;
	if (!trace_on && run_seed(seed, true, false)) {
		printf("seed %llu does not fail again: the simulator is not deterministic\n",
		       (unsigned long long)seed);
		return;
	}
	expand(&o, seed);
	trace_dump(stdout);
	state_dump(stdout);
	opts_print(stdout, &o);
	printf("VIOLATION seed %llu %s: %s\n", (unsigned long long)seed,
	       violation_checker, violation_text);
	printf("again: blkrepl-sim --seed %llu", (unsigned long long)seed);
	if (arg.ack_policy >= 0)
		printf(" --ack-policy %d", arg.ack_policy);
	if (arg.votes)
		printf(" --votes");
	if (arg.scenario >= 0)
		printf(" --scenario %s", scenario_name[arg.scenario]);
	if (arg.no_faults)
		printf(" --no-faults");
	if (arg.nodes)
		printf(" --nodes %u", arg.nodes);
	if (arg.depth)
		printf(" --depth %u", arg.depth);
	if (repl_mutation)
		printf(" --mutation %s", mutation_name[repl_mutation]);
	printf(" --trace\n");
}

static bool one(u64 seed)
{
	if (run_seed(seed, arg.trace, arg.trace))
		return true;
	report(seed);
	fflush(stdout);
	return false;
}

static void bad_line(const char *line)
{
	fprintf(stderr, "blkrepl-sim: %s: expected \"SEED [SCENARIO | quorum | votes]\": %s",
		arg.file, line);
	exit(2);
}

static int scenario(const char *name)
{
	for (int i = 0; i < SCN_COUNT; i++)
		if (!strcmp(name, scenario_name[i]))
			return i;
	return -1;
}

static bool run_file(void)
{
	FILE *f = fopen(arg.file, "r");
	char line[200];
	bool ok = true;
	u32 n = 0;

	if (!f) {
		perror(arg.file);
		exit(2);
	}
	while (fgets(line, sizeof(line), f)) {
		char name[40] = "";
		unsigned long long seed;

		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (sscanf(line, "%llu %39[a-z-]", &seed, name) < 1)
			bad_line(line);
		arg.scenario = scenario(name);
		arg.ack_policy = strcmp(name, "quorum") ? -1 : ACK_QUORUM;
		arg.votes = !strcmp(name, "votes");
		if (name[0] && arg.scenario < 0 && arg.ack_policy < 0 &&
		    !arg.votes)
			bad_line(line);
		n++;
		ok = one(seed) && ok;
	}
	fclose(f);
	if (!n) {
		fprintf(stderr, "blkrepl-sim: %s: no seeds in it\n", arg.file);
		exit(2);
	}
	printf("%u seeds of %s: %s\n", n, arg.file, ok ? "ok" : "FAILED");
	return ok;
}

static u32 job(u32 j, u64 *seeds)
{
	u32 bad = 0;

	*seeds = 0;
	for (u64 i = j; i < arg.seeds; i += arg.jobs) {
		++*seeds;
		if (!one(arg.seed + i)) {
			bad++;
			if (!arg.keep_going)
				break;
		}
	}
	return bad;
}

static void print_stats(void)
{
	for (u32 i = 0; i < C_COUNT; i++)
		if (i < C_FENCED || cov[i])
			printf("  %-18s %llu\n", cov_name[i],
			       (unsigned long long)cov[i]);
}

struct result {
	u64 seeds;
	u32 bad;
	u64 cov[C_COUNT];
};

static int run_jobs(void)
{
	struct timespec a, b;
	struct result sum = { 0 }, r;
	int fd[2];
	double s;

	clock_gettime(CLOCK_MONOTONIC, &a);
	if (arg.jobs <= 1) {
		sum.bad = job(0, &sum.seeds);
		memcpy(sum.cov, cov, sizeof(cov));
	} else {
		u32 left = arg.jobs;

		if (pipe(fd))
			exit(2);
		for (u32 j = 0; j < arg.jobs; j++) {
			pid_t pid = fork();

			if (pid < 0)
				exit(2);
			if (pid)
				continue;
			memset(&r, 0, sizeof(r));
			r.bad = job(j, &r.seeds);
			memcpy(r.cov, cov, sizeof(cov));
			if (write(fd[1], &r, sizeof(r)) != sizeof(r))
				_exit(3);
			fflush(stdout);
			_exit(0);
		}
		while (left) {
			int st;

			if (wait(&st) < 0)
				break;
			left--;
			if (!WIFEXITED(st) || WEXITSTATUS(st)) {
				sum.bad++;
				continue;
			}
			if (read(fd[0], &r, sizeof(r)) != sizeof(r))
				exit(3);
			sum.bad += r.bad;
			sum.seeds += r.seeds;
			for (u32 i = 0; i < C_COUNT; i++)
				sum.cov[i] += r.cov[i];
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	s = (double)(b.tv_sec - a.tv_sec) +
	    (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	memcpy(cov, sum.cov, sizeof(cov));
	if (arg.stats)
		print_stats();
	printf("%llu seeds from %llu in %.1f s (%.0f/s): %u violations\n",
	       (unsigned long long)sum.seeds, (unsigned long long)arg.seed, s,
	       (double)sum.seeds / (s > 0 ? s : 1), sum.bad);
	return sum.bad ? 1 : 0;
}

static int mutation(const char *s)
{
	char *end;
	long n = strtol(s, &end, 10);

	if (!*end && n >= 0 && n < MUT_COUNT)
		return (int)n;
	for (int i = 0; i < MUT_COUNT; i++)
		if (mutation_name[i] && !strcmp(s, mutation_name[i]))
			return i;
	fprintf(stderr, "unknown mutation: %s\n", s);
	exit(2);
}

/* A number and nothing else: a slip must not pass for a run without a failure. */
static u64 number(const char *name, u64 lowest, u64 highest)
{
	char *end;
	u64 n;

	errno = 0;
	n = strtoull(optarg, &end, 0);
	if (isdigit((unsigned char)optarg[0]) && !*end && !errno &&
	    n >= lowest && n <= highest)
		return n;
	fprintf(stderr, "blkrepl-sim: --%s %s: expected a number from %llu", name,
		optarg, (unsigned long long)lowest);
	if (highest == ~0ULL)
		fprintf(stderr, " on\n");
	else
		fprintf(stderr, " to %llu\n", (unsigned long long)highest);
	exit(2);
}

int main(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "seed", 1, NULL, 's' }, { "seeds", 1, NULL, 'n' },
		{ "jobs", 1, NULL, 'j' }, { "mutation", 1, NULL, 'm' },
		{ "trace", 0, NULL, 't' }, { "scenario", 1, NULL, 'c' },
		{ "ack-policy", 1, NULL, 'A' }, { "votes", 0, NULL, 'V' },
		{ "keep-going", 0, NULL, 'k' }, { "quiet", 0, NULL, 'q' },
		{ "stats", 0, NULL, 'S' }, { "file", 1, NULL, 'f' },
		{ "list-mutations", 0, NULL, 'l' }, { "help", 0, NULL, 'h' },
		{ "no-faults", 0, NULL, 'F' }, { "nodes", 1, NULL, 'N' },
		{ "depth", 1, NULL, 'D' },
		{ NULL, 0, NULL, 0 },
	};
	struct sigaction alarm_action = {
		.sa_handler = on_alarm, .sa_flags = SA_NODEFER,
	};
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 's':
			arg.seed = number("seed", 0, ~0ULL);
			break;
		case 'n':
			arg.seeds = number("seeds", 1, ~0ULL);
			break;
		case 'j':
			arg.jobs = (u32)number("jobs", 1, 1024);
			break;
		case 'm':
			repl_mutation = mutation(optarg);
			break;
		case 't':
			arg.trace = true;
			break;
		case 'A':
			arg.ack_policy = (int)number("ack-policy", 0, 2);
			break;
		case 'V':
			arg.votes = true;
			break;
		case 'c':
			arg.scenario = scenario(optarg);
			if (arg.scenario < 0) {
				fprintf(stderr, "unknown scenario: %s\n",
					optarg);
				return 2;
			}
			break;
		case 'k':
			arg.keep_going = true;
			break;
		case 'F':
			arg.no_faults = true;
			break;
		case 'N':
			arg.nodes = (u32)number("nodes", 1, MAX_NODES);
			break;
		case 'D':
			arg.depth = (u32)number("depth", 1, MAX_SLOTS);
			break;
		case 'q':
			arg.quiet = true;
			break;
		case 'S':
			arg.stats = true;
			break;
		case 'f':
			arg.file = optarg;
			break;
		case 'l':
			for (int i = 1; i < MUT_COUNT; i++)
				printf("%d %s\n", i, mutation_name[i] ?
				       mutation_name[i] : "?");
			return 0;
		default:
			fputs(usage_text, c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 2;
		}
	}
	if (optind < argc) {
		fputs(usage_text, stderr);
		return 2;
	}
	/* The handler jumps out: the signal must not stay blocked. */
	sigaction(SIGVTALRM, &alarm_action, NULL);
#if defined(__SANITIZE_ADDRESS__)
	__sanitizer_set_death_callback(on_death);
#else
	signal(SIGSEGV, on_crash);
	signal(SIGBUS, on_crash);
	signal(SIGFPE, on_crash);
#endif
	if (arg.file)
		return run_file() ? 0 : 1;
	return run_jobs();
}
