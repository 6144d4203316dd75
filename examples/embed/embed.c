/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a VMM embeds libvpmu, reduced to what the library asks of it. There is no hypervisor here:
 * "the guest" is the lines that call access_as_guest(), where a VMM would handle an MSR exit. Half
 * way the PMU is saved to an image, and goes on in another VM.
 */
#define _GNU_SOURCE

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <vpmu/image.h>
#include <vpmu/perf.h>
#include <vpmu/transport.h>
#include <vpmu/vpmu.h>

static unsigned char ram[1 << 20];

static int in_ram(void *opaque, uint32_t vcpu, uint64_t address, uint64_t size)
{
	(void)opaque, (void)vcpu;
	return address <= sizeof(ram) && size <= sizeof(ram) - address ? 0 : VPMU_ERROR_MEMORY;
}

static int from_ram(void *opaque, uint32_t vcpu, uint64_t address, void *to, uint64_t size)
{
	if (in_ram(opaque, vcpu, address, size) < 0)
		return VPMU_ERROR_MEMORY;
	memcpy(to, ram + address, size);
	return 0;
}

static int to_ram(void *opaque, uint32_t vcpu, uint64_t address, const void *from, uint64_t size)
{
	if (in_ram(opaque, vcpu, address, size) < 0)
		return VPMU_ERROR_MEMORY;
	memcpy(ram + address, from, size);
	return 0;
}

static int store_in_ram(void *opaque, uint32_t vcpu, uint64_t address, uint64_t value)
{
	if (in_ram(opaque, vcpu, address, sizeof(value)) < 0)
		return VPMU_ERROR_MEMORY;
	__atomic_store_n((uint64_t *)(void *)(ram + address), value, __ATOMIC_SEQ_CST);
	return 0;
}

static int inject(void *opaque, uint32_t vcpu, uint32_t mode, uint32_t vector)
{
	(void)opaque, (void)vcpu, (void)mode, (void)vector;
	return VPMU_ERROR_STATE; /* there is no interrupt controller to take it */
}

static uint64_t now(void *opaque)
{
	struct timespec time;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void *get_memory(void *opaque, uint64_t size)
{
	(void)opaque;
	return calloc(1, size);
}

static void give_memory(void *opaque, void *memory, uint64_t size)
{
	(void)opaque, (void)size;
	free(memory);
}

static void say(void *opaque, uint32_t level, const char *text)
{
	(void)opaque, (void)level;
	fprintf(stderr, "vpmu: %s\n", text);
}

/* readme: begin */
static const struct vpmu_host_ops host = {
	.size = sizeof(host),
	.allocate = get_memory,
	.release = give_memory,
	.guest_check = in_ram,
	.guest_read = from_ram,
	.guest_write = to_ram,
	.guest_store = store_in_ram,
	.pmi = inject,
	.clock = now,
	.log = say,
};

static int create(struct vpmu_perf **perf, struct vpmu_vm **vm, struct vpmu_vcpu **vcpu)
{
	struct vpmu_perf_config counting = { .size = sizeof(counting), .log = say };
	struct vpmu_profile profile;
	struct vpmu_config config = { .size = sizeof(config), .profile = &profile, .host = &host };
	int error = vpmu_perf_create(&counting, perf);

	vpmu_profile_default(&profile); /* what this VM is granted */
	profile.features |= VPMU_FEATURE_HOST_SOFTWARE;
	profile.software_events = 1u << VPMU_SOFTWARE_TASK_CLOCK;
	config.source = vpmu_perf_ops();
	config.source_opaque = *perf;
	if (error >= 0)
		error = vpmu_vm_create(&config, vm);
	if (error >= 0)
		error = vpmu_vcpu_add(*vm, 0, vcpu);
	return error < 0 ? error : vpmu_vcpu_bind(*vcpu, gettid());
}

/* A VMM's loop: vpmu_vcpu_enter(); run the guest; vpmu_vcpu_leave(); then, for an MSR exit, this. */
static uint64_t access_as_guest(struct vpmu_vcpu *vcpu, uint32_t msr, uint32_t write,
				uint64_t value)
{
	static const struct vpmu_window window = { .size = sizeof(window), .base = VPMU_MSR_BASE };
	struct vpmu_window_access access = { msr, 8, write, value };

	if (vpmu_window_access(&window, vcpu, &access) != VPMU_ACCESS_DONE)
		say(NULL, VPMU_LOG_NOTE, "the guest gets a general-protection fault");
	return access.value;
}
/* readme: end */

static void guest_write(struct vpmu_vcpu *vcpu, uint32_t index, uint64_t value)
{
	access_as_guest(vcpu, VPMU_MSR_BASE + index, 1, value);
}

static uint64_t guest_read(struct vpmu_vcpu *vcpu, uint32_t index)
{
	return access_as_guest(vcpu, VPMU_MSR_BASE + index, 0, 0);
}

static void destroy(struct vpmu_perf *perf, struct vpmu_vm *vm, struct vpmu_vcpu *vcpu)
{
	vpmu_vcpu_unbind(vcpu);
	vpmu_vcpu_remove(vcpu);
	vpmu_vm_destroy(vm);
	vpmu_perf_destroy(perf);
}

/* ---- to an image and back -------------------------------------------------------------------- */

/* Where the guest finds its PMU: part of what it was given, so the same at both ends. */
static const struct vpmu_image_platform platform = {
	.size = sizeof(platform),
	.base = VPMU_MSR_BASE,
	.architecture = VPMU_ARCHITECTURE_X86,
	.transport = VPMU_TRANSPORT_MSR,
};
static const struct vpmu_image_options moving = { .size = sizeof(moving), .platform = &platform };

/* Memory with the image; NULL where that failed. */
static void *save(struct vpmu_vm *vm, struct vpmu_vcpu *vcpu, uint64_t *length)
{
	void *image = NULL;

	vpmu_vcpu_stop(vcpu);
	if (vpmu_vm_save(vm, &moving, NULL, 0, length) == VPMU_ERROR_LIMIT)
		image = malloc(*length);
	if (image && !vpmu_vm_save(vm, &moving, image, *length, length))
		return image;
	free(image);
	return NULL;
}

static int load(struct vpmu_vm *vm, struct vpmu_vcpu *vcpu, const void *image, uint64_t length)
{
	struct vpmu_image_fault fault = { .size = sizeof(fault) };
	int error = vpmu_vm_load(vm, image, length, &moving, &fault);

	if (error == VPMU_ERROR_IMAGE)
		fprintf(stderr, "embed: the image is refused: %s: %s\n", fault.word, fault.text);
	if (error >= 0)
		error = vpmu_vcpu_commit(vcpu, 0);
	return error < 0 ? error : vpmu_vcpu_resume(vcpu);
}

/* ---- the guest ------------------------------------------------------------------------------- */

/* 1; 0 where the event does not open: it has no count then, and says why. */
static int guest_opens(struct vpmu_vcpu *vcpu)
{
	const uint32_t status = VPMU_STRIDE + VPMU_SLOT_EVENT + VPMU_EVENT_WORD_STATUS;

	guest_write(vcpu, VPMU_STRIDE + VPMU_ATTR_WORD_TYPE, VPMU_TYPE_HOST_SOFTWARE);
	guest_write(vcpu, VPMU_STRIDE + VPMU_ATTR_WORD_CONFIG, VPMU_SOFTWARE_TASK_CLOCK);
	guest_write(vcpu, VPMU_REG_OPEN, 1);
	guest_write(vcpu, VPMU_REG_ENABLE, 1);
	if (guest_read(vcpu, VPMU_REG_OPENED) & 1)
		return 1;
	fprintf(stderr, "embed: the event does not open, reason %" PRIu64 "\n",
		(uint64_t)((guest_read(vcpu, status) & VPMU_EVENT_WORD_STATUS_REASON_MASK) >>
			   VPMU_EVENT_WORD_STATUS_REASON_SHIFT));
	return 0;
}

static void guest_works(struct vpmu_vcpu *vcpu)
{
	const uint32_t event = VPMU_STRIDE + VPMU_SLOT_EVENT;

	vpmu_vcpu_enter(vcpu);
	for (volatile unsigned int spin = 0; spin < 20000000; spin++)
		;
	vpmu_vcpu_leave(vcpu);
	guest_write(vcpu, VPMU_REG_SYNC, 1);
	printf("task-clock %" PRIu64 " ns, running %" PRIu64 " of %" PRIu64 " ns, epoch %" PRIu64
	       "\n",
	       guest_read(vcpu, event + VPMU_EVENT_WORD_COUNT),
	       guest_read(vcpu, event + VPMU_EVENT_WORD_TIME_RUNNING),
	       guest_read(vcpu, event + VPMU_EVENT_WORD_TIME_ENABLED),
	       guest_read(vcpu, VPMU_REG_EPOCH));
}

int main(void)
{
	struct vpmu_perf *perf = NULL;
	struct vpmu_vm *vm = NULL;
	struct vpmu_vcpu *vcpu = NULL;
	uint64_t length = 0;
	void *image = NULL;
	int error = create(&perf, &vm, &vcpu);

	if (error >= 0 && !guest_opens(vcpu)) {
		destroy(perf, vm, vcpu);
		return EXIT_FAILURE;
	}
	if (error >= 0) {
		guest_works(vcpu);
		image = save(vm, vcpu, &length);
		destroy(perf, vm, vcpu);
		error = image ? create(&perf, &vm, &vcpu) : VPMU_ERROR_NO_MEMORY;
	}
	if (error >= 0)
		error = load(vm, vcpu, image, length);
	free(image);
	if (error < 0) {
		fprintf(stderr, "embed: %s\n", vpmu_error_text(error));
		return EXIT_FAILURE;
	}
	guest_works(vcpu);
	destroy(perf, vm, vcpu);
	return EXIT_SUCCESS;
}
