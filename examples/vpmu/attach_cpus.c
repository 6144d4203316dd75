/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What QEMU says of its vCPUs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach_vm.h"
#include "qmp.h"

/* The socket must be of the process that has the region: a thread of any other is not to be
 * counted. */
static int open_same(struct qmp *qmp, const struct attach_wires *wires, const char *path)
{
	int error = qmp_open(qmp, path, QMP_PATIENCE);

	if (error)
		return error;
	if (qmp->process == wires->pid)
		return 0;
	qmp_close(qmp);
	return -EXDEV;
}

struct found {
	uint32_t index;
	uint32_t hardware;
	int nameless; /* QEMU tells no number of it */
	int64_t thread;
	char path[256];
};

/* The path of an object of QEMU has no character that JSON would write otherwise. */
static int is_plain(const char *path)
{
	return path[strcspn(path, "\"\\")] == '\0';
}

static int is_x86(const char *target)
{
	return strcmp(target, "x86_64") == 0 || strcmp(target, "i386") == 0;
}

static int ask_apic_id(struct qmp *qmp, const char *path, uint32_t *hardware)
{
	char arguments[512];
	const json_t *answer;
	int error;

	if (!*path || !is_plain(path) ||
	    (size_t)snprintf(arguments, sizeof(arguments),
			     "{\"path\":\"%s\",\"property\":\"apic-id\"}",
			     path) >= sizeof(arguments))
		return -ENODATA;
	error = qmp_ask(qmp, "qom-get", arguments, &answer);
	if (error)
		return error == -EREMOTEIO ? -ENODATA : error;
	if (!json_is_integer(answer) || json_integer_value(answer) < 0 ||
	    json_integer_value(answer) > UINT32_MAX)
		return -EPROTO;
	*hardware = (uint32_t)json_integer_value(answer);
	return 0;
}

/*
 * The number of a vCPU in hardware (abi/SPEC.md R-PCI-3): the APIC id of x86; others have the
 * number that QEMU gives them. An APIC id that QEMU does not tell is not guessed: that would give a
 * CPU the block of another.
 */
static int hardware_id(const struct attach_vm *vm, struct qmp *qmp, const struct found *cpu,
		       uint32_t *hardware)
{
	*hardware = cpu->index;
	return is_x86(vm->target) ? ask_apic_id(qmp, cpu->path, hardware) : 0;
}

static int read_one(const json_t *cpu, struct found *found)
{
	int64_t index;

	if (qmp_number(cpu, "cpu-index", UINT32_MAX, &index) < 0 ||
	    qmp_number(cpu, "thread-id", INT32_MAX, &found->thread) < 0)
		return -EPROTO;
	found->index = (uint32_t)index;
	if (qmp_text(cpu, "qom-path", found->path, sizeof(found->path)) < 0)
		found->path[0] = '\0';
	return 0;
}

static int read_all(const json_t *list, struct found *found)
{
	int count = 0;
	const json_t *cpu;

	while (count < (int)ATTACH_VCPUS && (cpu = json_array_get(list, (size_t)count)))
		if (read_one(cpu, &found[count++]) < 0)
			return -EPROTO;
	return count;
}

static int name_all(const struct attach_vm *vm, struct qmp *qmp, struct found *found, int count)
{
	for (int i = 0; i < count; i++) {
		int error = 0;

		if (!attach_vm_knows(vm, found[i].index))
			error = hardware_id(vm, qmp, &found[i], &found[i].hardware);
		if (error && error != -ENODATA)
			return error;
		found[i].nameless = error;
	}
	return 0;
}

/*
 * What an answer that did not come leaves out is not gone, and none is shown before all can be: the
 * counts of a predecessor are those of all. A vCPU without a number is not shown.
 */
static int scan_all(struct attach_vm *vm, struct qmp *qmp, struct found *found, int count)
{
	int nameless = name_all(vm, qmp, found, count);

	if (nameless)
		return nameless;
	attach_vm_scan_begin(vm);
	for (int i = 0; i < count; i++) {
		if (found[i].nameless)
			nameless = found[i].nameless;
		else
			attach_vm_scan(vm, found[i].index, found[i].thread, found[i].hardware);
	}
	attach_vm_scan_end(vm);
	return nameless;
}

int attach_cpus(struct attach_vm *vm, const struct attach_wires *wires, const char *path)
{
	static struct found found[ATTACH_VCPUS];
	struct qmp qmp;
	const json_t *answer;
	int count = open_same(&qmp, wires, path);

	if (count < 0)
		return count;
	count = qmp_ask(&qmp, "query-cpus-fast", NULL, &answer);
	if (!count)
		count = read_all(answer, found);
	if (count >= 0)
		count = scan_all(vm, &qmp, found, count);
	qmp_close(&qmp);
	return count;
}

static int ask_target(struct qmp *qmp, struct attach_machine *machine)
{
	const json_t *answer;
	int error = qmp_ask(qmp, "query-target", NULL, &answer);

	return error ? error : qmp_text(answer, "arch", machine->target, sizeof(machine->target));
}

int attach_ask_machine(const struct attach_wires *wires, const char *path,
		       struct attach_machine *machine)
{
	struct qmp qmp;
	const json_t *answer;
	int error = open_same(&qmp, wires, path);

	if (error)
		return error;
	error = qmp_ask(&qmp, "query-kvm", NULL, &answer);
	if (!error) {
		machine->kvm = json_is_true(json_object_get(answer, "enabled"));
		error = ask_target(&qmp, machine);
	}
	qmp_close(&qmp);
	return error;
}
