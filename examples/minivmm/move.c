/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The second half of the demonstration: a guest that counts and checks itself moves, while it runs,
 * to another process. What both sides and the guest saw of it is printed.
 */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "minivmm.h"

#define A_WHILE_NS 150000000
#define GOES_ON_ROUNDS 8u
#define PATIENCE_NS 30000000000u

struct vpmu_image_options image_options(const struct machine *machine)
{
	return (struct vpmu_image_options){
		.size = sizeof(struct vpmu_image_options),
		.platform = &machine->platform,
		.facts = &machine->facts,
	};
}

int image_save(struct machine *machine, struct image *image)
{
	const struct vpmu_image_options options = image_options(machine);
	int error = vpmu_vm_save(machine->device, &options, image->bytes, image->capacity,
				 &image->length);

	if (error < 0)
		fprintf(stderr, "minivmm: the PMU cannot be saved: %s\n", vpmu_error_text(error));
	return error;
}

const char *image_fault_text(int error, const struct vpmu_image_fault *fault, char *room,
			     uint64_t size)
{
	if (!fault->fault)
		return vpmu_error_text(error);
	snprintf(room, size, "the image is refused at byte %" PRIu64 ", word %s: %s", fault->offset,
		 fault->word, fault->text);
	return room;
}

static uint64_t load(const uint64_t *of_guest)
{
	return __atomic_load_n(of_guest, __ATOMIC_RELAXED);
}

/* On a busy machine a vCPU may not have run in any time: each has read its events, and taken a PMI.
 */
void guest_go_on(struct machine *machine)
{
	const struct timespec a_while = { 0, A_WHILE_NS };
	const struct timespec moment = { 0, 1000000 };
	const uint64_t until = clock_now() + PATIENCE_NS;
	uint64_t wanted[VCPUS];
	uint32_t i;

	for (i = 0; i < VCPUS; i++)
		wanted[i] = load(&results_of(machine, i)->roaming.rounds) + GOES_ON_ROUNDS;
	nanosleep(&a_while, NULL);
	for (i = 0; i < VCPUS; i++) {
		const struct minivmm_results *results = results_of(machine, i);

		while ((load(&results->roaming.rounds) < wanted[i] || !load(&results->pmi_taken)) &&
		       clock_now() < until)
			nanosleep(&moment, NULL);
	}
}

/* Lets the guest run a while, then asks it to come to its end. */
void guest_finish(struct machine *machine)
{
	struct minivmm_parameters *parameters = (void *)(machine->ram + MINIVMM_PARAMETERS);

	guest_go_on(machine);
	__atomic_store_n(&parameters->finish, 1, __ATOMIC_SEQ_CST);
}

static void add_up(struct minivmm_roaming *sum, const struct minivmm_roaming *one)
{
	sum->rounds += one->rounds;
	sum->backwards += one->backwards;
	sum->above += one->above;
	sum->errors += one->errors;
	sum->reopened += one->reopened;
	sum->incomplete += one->incomplete;
	sum->miscounted += one->miscounted;
	sum->task_clock += one->task_clock;
	if (one->epoch_changes > sum->epoch_changes)
		sum->epoch_changes = one->epoch_changes;
}

void figures_of_guest(const struct machine *machine, struct figures *figures)
{
	uint32_t i;

	for (i = 0; i < VCPUS && machine->ram; i++) {
		const struct minivmm_results *results = results_of(machine, i);

		add_up(&figures->seen, &results->roaming);
		figures->pmis += results->pmi_taken;
		figures->unclaimed += results->pmi_spurious;
		figures->failed += results->complete != 1;
		if (machine->vcpus[i].failure[0])
			fprintf(stderr, "minivmm: vCPU %u: %s\n", i, machine->vcpus[i].failure);
	}
	if (machine->ram)
		figures->epoch = results_of(machine, 0)->roaming.epoch;
}

/* ---- two processes --------------------------------------------------------------------------- */

static pid_t destination_start(const struct options *options, const char *path)
{
	const char *words[] = {
		"minivmm",	  "--receive", path, options->without ? "--without" : NULL,
		options->without, NULL
	};
	pid_t child = fork();

	if (child)
		return child;
	execv("/proc/self/exe", (char **)(uintptr_t)words);
	_exit(127);
}

static int has_ended(pid_t child)
{
	siginfo_t found = { 0 };

	return waitid(P_PID, (id_t)child, &found, WEXITED | WNOHANG | WNOWAIT) || found.si_pid;
}

static int connect_to(pid_t child, const char *path)
{
	const struct timespec moment = { 0, 10000000 };
	const uint64_t until = clock_now() + PATIENCE_NS;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	while (fd >= 0 && clock_now() < until && !has_ended(child)) {
		if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
			return fd;
		nanosleep(&moment, NULL);
	}
	if (fd >= 0)
		close(fd);
	fprintf(stderr, "minivmm: the destination does not answer at %s\n", path);
	return -1;
}

/* What the two sides know of one move. */
static void figures_join(struct figures *figures, const struct figures *there)
{
	figures->resumed_at = there->resumed_at;
	figures->opens += there->opens;
	figures->prepared = there->prepared;
	figures->epoch = there->epoch;
	figures->seen = there->seen;
	figures->pmis = there->pmis;
	figures->unclaimed = there->unclaimed;
	figures->failed = there->failed;
}

static int move_over(struct machine *machine, int fd, struct figures *figures)
{
	char fault[512] = "";
	int error = vm_start(machine);

	if (!error) {
		guest_go_on(machine);
		error = send_machine(machine, fd, figures, fault, sizeof(fault));
	}
	if (error > 0) {
		figures->refused = 1;
		fprintf(stderr,
			"minivmm: the destination refused, and the guest goes on here: %s\n",
			fault);
		guest_finish(machine);
	}
	vm_end(machine);
	if (error)
		figures_of_guest(machine, figures);
	else
		figures_join(figures, &machine->there);
	return error < 0 ? -1 : 0;
}

int move_run(struct machine *machine, struct figures *figures)
{
	char directory[] = "/tmp/minivmm-XXXXXX";
	char path[sizeof(directory) + 8];
	int error = -1;
	int status = 0;
	pid_t child;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(directory)) {
		perror("minivmm: no place for a socket");
		return -1;
	}
	snprintf(path, sizeof(path), "%s/socket", directory);
	child = destination_start(&machine->options, path);
	fd = child > 0 ? connect_to(child, path) : -1;
	if (fd >= 0) {
		error = move_over(machine, fd, figures);
		close(fd);
	}
	if (child > 0 && fd < 0)
		kill(child, SIGKILL);
	if (child > 0)
		waitpid(child, &status, 0);
	unlink(path);
	rmdir(directory);
	return error;
}

/* ---- what is printed ------------------------------------------------------------------------- */

static double downtime_ms(const struct figures *figures)
{
	return figures->resumed_at > figures->stopped_at ?
		       (double)(figures->resumed_at - figures->stopped_at) / 1e6 :
		       0;
}

void move_print(const struct options *options, const struct figures *figures)
{
	if (figures->refused) {
		printf("\nThe guest was not moved: the destination refused it. It saw nothing: %" PRIu64
		       " epoch changes, %" PRIu64 " counts backwards.\n",
		       figures->seen.epoch_changes, figures->seen.backwards);
		return;
	}
	(void)options;
	printf("\nThen a guest moved to another process while it counted: %" PRIu64
	       " pages in %" PRIu64 " rounds, stopped for %.1f ms.\n",
	       figures->pages, figures->rounds, downtime_ms(figures));
	printf("Its PMU took %" PRIu64 " bytes; host events made while it stood still: %" PRIu64
	       "; line of vCPU 0: %s.\n",
	       figures->image_bytes, figures->opens, name_of_line(figures->line));
	printf("The guest read its events %" PRIu64 " times and saw %" PRIu64
	       " epoch change, %" PRIu64 " counts backwards, %" PRIu64
	       " with more running than enabled time, %" PRIu64 " overflows told wrongly.\n",
	       figures->seen.rounds, figures->seen.epoch_changes, figures->seen.backwards,
	       figures->seen.above, figures->seen.miscounted);
}

void move_json(const struct figures *figures)
{
	const struct minivmm_roaming *seen = &figures->seen;

	printf("  \"migration\": { \"refused\": %s, \"downtime_ms\": %.3f, \"epoch_changes\": %" PRIu64
	       ", \"backwards\": %" PRIu64 ", \"perf_opens_in_blackout\": %" PRIu64
	       ", \"image_bytes\": %" PRIu64 ",\n",
	       figures->refused ? "true" : "false", downtime_ms(figures), seen->epoch_changes,
	       seen->backwards, figures->opens, figures->image_bytes);
	printf("    \"pages\": %" PRIu64 ", \"rounds\": %" PRIu64 ", \"prepared\": %" PRIu64
	       ", \"line\": \"%s\", \"epoch\": %" PRIu64 ", \"failed\": %" PRIu64 ",\n",
	       figures->pages, figures->rounds, figures->prepared, name_of_line(figures->line),
	       figures->epoch, figures->failed);
	printf("    \"readings\": %" PRIu64 ", \"above\": %" PRIu64 ", \"errors\": %" PRIu64
	       ", \"reopened\": %" PRIu64 ", \"incomplete\": %" PRIu64 ", \"miscounted\": %" PRIu64
	       ", \"pmis\": %" PRIu64 ", \"unclaimed\": %" PRIu64 " }",
	       seen->rounds, seen->above, seen->errors, seen->reopened, seen->incomplete,
	       seen->miscounted, figures->pmis, figures->unclaimed);
}
