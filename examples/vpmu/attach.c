/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * vpmu attach: a PMU for the guest of a QEMU that knows nothing of it. One process for one VM: the
 * guest asks in a mailbox that lies in the memory of an ivshmem device, and rings its doorbell.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "attach.h"
#include "tool.h"

#define SCAN_NS 1000000000ull	 /* between two questions for vCPUs */
#define GREET_NS 5000000ull	 /* between two steps of greeting QEMU on the bus */
#define SCAN_SOON_NS 50000000ull /* while there is no VM yet */

/* What is waited for, beside the doorbells, which have their vectors as numbers. */
enum {
	FROM_LISTENER = 0x10000,
	FROM_CONNECTION,
	FROM_PROCESS,
	FROM_SIGNAL,
	FROM_NOTICE,
	FROM_BUS,
	FROM_MOVE,
	FROM_WATCHER
};

struct attach {
	struct attach_options options;
	struct attach_wires wires;
	struct attach_vm *vm;
	struct attach_bus *bus;
	int carrier;   /* the bus's connection that is watched; -1 */
	uint64_t scan; /* when QEMU is asked next */
	int unasked;   /* QEMU has not said yet which vCPUs it has */
	int listener;
	int watchers; /* listens for who asks for statistics; -1 */
	int signals;
	int poll;
	int ended;
	int complaint; /* the last that was told of QMP */
};

uint64_t attach_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void attach_say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	printf("vpmu attach: ");
	vprintf(format, arguments);
	printf("\n");
	fflush(stdout);
	va_end(arguments);
}

static int watch(struct attach *attach, int descriptor, uint32_t from)
{
	struct epoll_event event = { .events = EPOLLIN, .data = { .u32 = from } };

	if (descriptor < 0)
		return 0;
	return epoll_ctl(attach->poll, EPOLL_CTL_ADD, descriptor, &event) < 0 ? -errno : 0;
}

static int watch_wires(struct attach *attach)
{
	int error = watch(attach, attach->wires.connection, FROM_CONNECTION);

	if (!error)
		error = watch(attach, attach->wires.process, FROM_PROCESS);
	for (uint32_t i = 0; i < attach->wires.vectors && !error; i++)
		error = watch(attach, attach->wires.host[i], i);
	return error;
}

/* Closing takes the descriptors out of the set as well. */
static void end_vm(struct attach *attach)
{
	attach_vm_drop(attach->vm);
	attach->vm = NULL;
	attach_wires_drop(&attach->wires);
}

static void qemu_gone(struct attach *attach)
{
	attach_say("QEMU %d is gone", (int)attach->wires.pid);
	end_vm(attach);
	if (attach->options.state)
		attach_state_forget(attach->options.state);
}

static void complain_of_qmp(struct attach *attach, int error)
{
	const char *what = strerror(-error);

	if (error == -EXDEV)
		what = "belongs to another process than the device";
	if (error == -ENODATA)
		what = "does not tell the APIC id of each vCPU: those without one get no PMU";
	if (error < 0 && error != attach->complaint)
		attach_say("%s: %s", attach->options.qmp, what);
	attach->complaint = error;
}

/* The VM is made when QEMU can be asked, which is after the guest has begun. */
static int make_vm(struct attach *attach)
{
	struct attach_machine machine = { 0 };
	int error = attach_ask_machine(&attach->wires, attach->options.qmp, &machine);

	complain_of_qmp(attach, error);
	if (error)
		return 0;
	attach->vm = attach_vm_new(&attach->options, &attach->wires, &machine);
	if (!attach->vm)
		return attach_is_gone(&attach->wires) ? 0 : -1;
	attach->unasked = 1;
	if (attach->bus && !attach_vm_can_move(attach->vm))
		attach_say(
			"with so many vCPUs the state may be longer than the 1 MiB that QEMU carries");
	return watch(attach, attach_vm_notice(attach->vm), FROM_NOTICE);
}

/* Once its vCPUs are known: with the counts of a predecessor. */
static void begin_serving(struct attach *attach)
{
	attach->unasked = 0;
	if (attach->options.state)
		attach_keep_take(attach->vm, attach->options.state);
}

/*
 * What the guest asked may wait here unseen: a ring is lost that comes before QEMU has all that it
 * may ring with.
 */
static void serve_all(struct attach *attach)
{
	for (uint32_t i = 0; i < attach->wires.vectors; i++)
		attach_vm_serve(attach->vm, i);
}

static int scan(struct attach *attach)
{
	int error;

	if (!attach->vm && make_vm(attach) < 0)
		return -1;
	attach->scan = attach_now() + (attach->vm ? SCAN_NS : SCAN_SOON_NS);
	if (!attach->vm)
		return 0;
	error = attach_cpus(attach->vm, &attach->wires, attach->options.qmp);
	complain_of_qmp(attach, error);
	if (attach->unasked && (!error || error == -ENODATA))
		begin_serving(attach);
	if (!attach->unasked)
		serve_all(attach);
	return 0;
}

static int begin_with(struct attach *attach, int error)
{
	if (!error)
		error = watch_wires(attach);
	if (error) {
		attach_say("QEMU could not be served: %s", strerror(-error));
		end_vm(attach);
		return 0;
	}
	attach_say("QEMU %d has the region, %u vectors", (int)attach->wires.pid,
		   attach->wires.vectors);
	if (attach->options.state) {
		error = attach_state_save(&attach->wires, attach->options.state);
		if (error)
			attach_say("%s: %s", attach->options.state, strerror(-error));
	}
	attach->scan = 0;
	return 0;
}

static int connected(struct attach *attach)
{
	int error;

	if (attach->wires.memory >= 0 && attach_is_gone(&attach->wires))
		qemu_gone(attach);
	if (attach->wires.memory >= 0) {
		attach_refuse(attach->listener);
		attach_say("a second QEMU was turned away");
		return 0;
	}
	error = attach_wires_new(&attach->wires, &attach->options);
	if (!error)
		error = attach_accept(&attach->wires, attach->listener);
	return begin_with(attach, error);
}

/* ---- moving ---------------------------------------------------------------------------------- */

static const char *save(void *opaque, unsigned char **bytes, size_t *length)
{
	struct attach *attach = opaque;

	if (!attach->vm)
		return "QEMU was not asked for its vCPUs yet";
	return attach_vm_save(attach->vm, bytes, length);
}

/* QEMU asks as soon as it has all; its vCPUs may not have been looked for yet. */
static const char *load(void *opaque, const unsigned char *bytes, size_t length)
{
	struct attach *attach = opaque;
	const char *why;

	if (!attach->vm)
		return "QEMU was not asked for its vCPUs yet";
	why = attach_vm_load(attach->vm, bytes, length);
	if (!why)
		attach_say("the VM came here with its counts");
	return why;
}

/* A connection is watched from the moment that it is there. */
static int work_bus(struct attach *attach, uint32_t from)
{
	int connection;

	if (from == FROM_BUS)
		attach_bus_accept(attach->bus);
	attach_bus_work(attach->bus);
	connection = attach_bus_connection(attach->bus);
	if (connection < 0 || connection == attach->carrier) {
		attach->carrier = connection;
		return 0;
	}
	attach->carrier = connection;
	return watch(attach, connection, FROM_MOVE);
}

/* ---- what happens ---------------------------------------------------------------------------- */

static void rang(struct attach *attach, uint32_t vector)
{
	uint64_t count;

	if (vector < attach->wires.vectors &&
	    read(attach->wires.host[vector], &count, sizeof(count)) > 0 && attach->vm)
		attach_vm_serve(attach->vm, vector);
}

static void drain(int descriptor)
{
	char bytes[256];

	while (read(descriptor, bytes, sizeof(bytes)) == sizeof(bytes))
		;
}

/* What an earlier one of the same round ended is not there any more. */
static int happened(struct attach *attach, uint32_t from)
{
	switch (from) {
	case FROM_LISTENER:
		return connected(attach);
	case FROM_CONNECTION:
	case FROM_PROCESS:
		if (attach->wires.memory >= 0 && attach_is_gone(&attach->wires))
			qemu_gone(attach);
		return 0;
	case FROM_SIGNAL:
		attach->ended = 1;
		return 0;
	case FROM_NOTICE:
		if (attach->vm)
			drain(attach_vm_notice(attach->vm));
		return 0;
	case FROM_BUS:
	case FROM_MOVE:
		return work_bus(attach, from);
	case FROM_WATCHER:
		attach_tell(attach->vm, attach->watchers);
		return 0;
	default:
		rang(attach, from);
		return 0;
	}
}

static uint64_t work(struct attach *attach)
{
	uint64_t next = attach->wires.memory >= 0 ? attach->scan : VPMU_NO_DEADLINE;

	if (attach->vm) {
		uint64_t due = attach_vm_work(attach->vm);

		next = due < next ? due : next;
	}
	if (attach_bus_greets(attach->bus)) {
		uint64_t soon = attach_now() + GREET_NS;

		work_bus(attach, FROM_MOVE);
		next = soon < next ? soon : next;
	}
	return next;
}

static int wait_until(struct attach *attach, struct epoll_event *events, int most, uint64_t until)
{
	uint64_t now = attach_now();
	uint64_t left = until > now ? until - now : 0;
	struct timespec timeout = {
		.tv_sec = (time_t)(left / 1000000000u),
		.tv_nsec = (long)(left % 1000000000u),
	};
	int count = epoll_pwait2(attach->poll, events, most,
				 until == VPMU_NO_DEADLINE ? NULL : &timeout, NULL);

	return count < 0 && errno == EINTR ? 0 : count;
}

static int serve(struct attach *attach)
{
	while (!attach->ended) {
		struct epoll_event events[16];
		uint64_t until = work(attach);
		int count = wait_until(attach, events, 16, until);

		if (count < 0)
			return -errno;
		for (int i = 0; i < count; i++)
			if (happened(attach, events[i].data.u32) < 0)
				return -EIO;
		if (attach->wires.memory >= 0 && attach_now() >= attach->scan && scan(attach) < 0)
			return -EIO;
	}
	return 0;
}

/* Ends in good order, also with the terminal that it was begun at, unless that is not to matter;
 * who reads what it says may go. */
static int begin_signals(struct attach *attach)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	if (signal(SIGHUP, SIG_IGN) != SIG_IGN) {
		signal(SIGHUP, SIG_DFL);
		sigaddset(&signals, SIGHUP);
	}
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	attach->signals = signalfd(-1, &signals, SFD_CLOEXEC);
	attach->poll = epoll_create1(EPOLL_CLOEXEC);
	if (attach->signals < 0 || attach->poll < 0)
		return -errno;
	return watch(attach, attach->signals, FROM_SIGNAL);
}

/* Listens where a user said, if anywhere; what is wrong with that place is said with its name. */
static int begin_listener(struct attach *attach, const char *path, int *listener, uint32_t from)
{
	if (!path)
		return 0;
	*listener = attach_listen(path);
	if (*listener >= 0)
		return watch(attach, *listener, from);
	fprintf(stderr, "vpmu attach: %s: %s\n", path, strerror(-*listener));
	return ATTACH_SAID;
}

static int begin_bus(struct attach *attach)
{
	struct attach_bus_ops ops = { attach, save, load };

	if (!attach->options.bus)
		return 0;
	attach->bus = attach_bus_new(attach->options.bus, &ops);
	return attach->bus ? watch(attach, attach_bus_listener(attach->bus), FROM_BUS) :
			     ATTACH_SAID;
}

static int begin(struct attach *attach)
{
	const struct attach_options *options = &attach->options;
	int error = begin_signals(attach);

	if (!error && options->state) {
		error = attach_state_take(&attach->wires, options);
		error = error > 0 ? begin_with(attach, 0) : error;
	}
	if (!error)
		error = begin_bus(attach);
	if (!error)
		error = begin_listener(attach, options->statistics, &attach->watchers,
				       FROM_WATCHER);
	if (!error)
		error = begin_listener(attach, options->socket, &attach->listener, FROM_LISTENER);
	return error;
}

int attach_main(int count, char **arguments)
{
	static struct attach attach;
	int error = attach_options_read(&attach.options, count, arguments);

	if (error)
		return error < 0 ? TOOL_DONE : error;
	attach.listener = attach.carrier = attach.watchers = -1;
	attach.wires.memory = -1;
	error = begin(&attach);
	if (!error) {
		attach_say("waiting for QEMU at %s", attach.options.socket);
		error = serve(&attach);
	}
	if (error && error != ATTACH_SAID)
		fprintf(stderr, "vpmu attach: %s\n", strerror(-error));
	if (attach.vm && !attach.unasked && !error && attach.options.state)
		attach_keep(attach.vm, attach.options.state);
	if (attach.wires.memory >= 0)
		end_vm(&attach);
	attach_bus_drop(attach.bus);
	if (attach.listener >= 0)
		unlink(attach.options.socket);
	if (attach.watchers >= 0)
		unlink(attach.options.statistics);
	return error ? TOOL_FAILED : TOOL_DONE;
}
