/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A plugin for QEMU that counts the instructions of each vCPU and does nothing else: what
 * libvpmu-tcg is measured beside. */
#include "backends/tcg/plugin_api.h"

#include <string.h>

#define MOST 64u

static struct {
	_Alignas(64) volatile uint64_t count;
} vcpus[MOST];

PLUGIN_EXPORT int qemu_plugin_version = 1;
PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_plugin_info *info,
				      int count, char **arguments);

static void run(unsigned int index, void *instructions)
{
	if (index < MOST)
		vcpus[index].count += (uintptr_t)instructions;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
	uintptr_t count = qemu_plugin_tb_n_insns(block);
	void *carrier;

	(void)id;
	memcpy(&carrier, &count, sizeof(carrier));
	qemu_plugin_register_vcpu_tb_exec_cb(block, run, QEMU_PLUGIN_CB_NO_REGS, carrier);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_plugin_info *info, int count,
			char **arguments)
{
	(void)info;
	(void)count;
	(void)arguments;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
