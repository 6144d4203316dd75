/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the perf source can count on this host: each event is opened once, on this thread. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <vpmu/convert.h>
#include <vpmu/perf.h>

#include "tool.h"

struct trial {
	struct finding *finding;
	struct vpmu_perf *perf;
	void *attached;
	unsigned int tried;
	unsigned int opened;
};

/* The source's own words say why the first event does not open. */
static void say_why(void *opaque, uint32_t level, const char *text)
{
	struct trial *trial = opaque;

	(void)level;
	if (!trial->finding->remedy[0])
		finding_set_remedy(trial->finding, text);
}

static void attend(void *opaque, uint64_t tags)
{
	(void)opaque;
	(void)tags;
}

static int trial_begin(struct trial *trial, struct finding *finding)
{
	const struct vpmu_perf_config config = {
		.size = sizeof(config),
		.flags = VPMU_PERF_THREADS_RUN_GUEST | VPMU_PERF_BESIDE_MEDIATED,
		.log = say_why,
		.log_opaque = trial,
	};
	const struct vpmu_source_thread thread = {
		.size = sizeof(thread),
		.id = gettid(),
		.attention = attend,
	};
	int error;

	*trial = (struct trial){ .finding = finding };
	error = vpmu_perf_create(&config, &trial->perf);
	if (!error)
		error = vpmu_perf_ops()->attach(trial->perf, &thread, &trial->attached);
	if (!error)
		return 0;
	vpmu_perf_destroy(trial->perf);
	finding_set(finding, VERDICT_UNKNOWN, "");
	finding_set_remedy(finding, vpmu_error_text(error));
	return error;
}

static void trial_end(struct trial *trial)
{
	struct finding *finding = trial->finding;

	vpmu_perf_ops()->detach(trial->perf, trial->attached);
	vpmu_perf_destroy(trial->perf);
	finding->kind = KIND_WORDS;
	finding->verdict = VERDICT_OK;
	if (trial->opened < trial->tried)
		finding->verdict = trial->opened ? VERDICT_LIMITED : VERDICT_NO;
	/* That some generic events are not on a PMU is its own business. */
	if (trial->opened)
		finding->remedy[0] = '\0';
}

static void trial_event(struct trial *trial, uint64_t type, uint64_t config)
{
	struct vpmu_source_event event = { .attr = { .type = type, .config = config } };
	struct vpmu_source_opened opened = { 0 };
	char name[VPMU_CONVERT_NAME_SIZE];

	if (vpmu_convert_name(&event.attr, name, sizeof(name)) < 0)
		return;
	trial->tried++;
	if (vpmu_perf_ops()->open(trial->perf, trial->attached, &event, 1, 0, &opened) != 0)
		return;
	trial->opened++;
	finding_add_word(trial->finding, name);
	vpmu_perf_ops()->close(trial->perf, trial->attached, opened.group, 0);
}

void check_hardware(struct finding *finding)
{
	struct trial trial;

	if (trial_begin(&trial, finding) != 0)
		return;
	for (uint64_t i = VPMU_HARDWARE_CYCLES; i <= VPMU_HARDWARE_REF_CYCLES; i++)
		trial_event(&trial, VPMU_TYPE_HARDWARE, i);
	trial_end(&trial);
}

void check_cache(struct finding *finding)
{
	struct trial trial;

	if (trial_begin(&trial, finding) != 0)
		return;
	for (uint64_t cache = VPMU_CACHE_L1D; cache <= VPMU_CACHE_NODE; cache++)
		for (uint64_t op = VPMU_CACHE_OP_READ; op <= VPMU_CACHE_OP_PREFETCH; op++)
			for (uint64_t result = VPMU_CACHE_RESULT_ACCESS;
			     result <= VPMU_CACHE_RESULT_MISS; result++)
				trial_event(&trial, VPMU_TYPE_CACHE,
					    cache | op << 8 | result << 16);
	trial_end(&trial);
}

void check_software(struct finding *finding)
{
	struct trial trial;

	if (trial_begin(&trial, finding) != 0)
		return;
	for (uint64_t i = VPMU_SOFTWARE_CPU_CLOCK; i <= VPMU_SOFTWARE_EMULATION_FAULTS; i++)
		trial_event(&trial, VPMU_TYPE_HOST_SOFTWARE, i);
	trial_end(&trial);
}

/* What the source finds out by itself: 0, or -1 and the finding says why. */
static int facts_take(struct finding *finding, struct vpmu_source_facts *facts)
{
	struct trial trial;
	int error;

	if (trial_begin(&trial, finding) != 0)
		return -1;
	error = vpmu_perf_ops()->probe(trial.perf, facts);
	trial_end(&trial);
	if (!error)
		return 0;
	finding_set(finding, VERDICT_UNKNOWN, "");
	finding_set_remedy(finding, vpmu_error_text(error));
	return -1;
}

void check_raw(struct finding *finding)
{
	struct vpmu_source_facts facts = { .size = sizeof(facts) };

	if (facts_take(finding, &facts) != 0)
		return;
	finding_set(finding, facts.raw_events ? VERDICT_OK : VERDICT_NO,
		    facts.raw_events ? "yes" : "no");
	if (!facts.raw_events)
		finding_set_remedy(finding, "No raw event opens; see the hardware events.");
}

void check_counters(struct finding *finding)
{
	struct vpmu_source_facts facts = { .size = sizeof(facts) };

	if (facts_take(finding, &facts) != 0)
		return;
	finding_set_number(finding, facts.counters ? VERDICT_OK : VERDICT_NO, facts.counters);
	if (!facts.hardware_events)
		finding_set_remedy(finding, "No hardware event opens; see there.");
	else if (!facts.counters)
		finding_set_remedy(finding,
				   "Others hold them all: look for processes with "
				   "anon_inode:[perf_event] among their descriptors, and at "
				   "the NMI watchdog.");
}
