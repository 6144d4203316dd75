/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/*
 * The library on a pipe: what standard input asks for is done, and what the library asks of its
 * host and its counter source is asked of whoever is on the other end, abi/python/vpmu_pipe.py.
 *
 * A frame is three words: its kind, its words, its bytes; then the words, little-endian, then the
 * bytes as they are. A request is answered by a frame of kind 0; before that any number of calls
 * may come the other way, each answered by a frame of kind 0 too.
 */
#include <string.h>

#include <vpmu/convert.h>
#include <vpmu/image.h>
#include <vpmu/transport.h>
#include <vpmu/vpmu.h>

#include "ground/ground.h"
#include "testee.h"

enum { IN = 0, OUT = 1 };

struct frame request;
struct frame answer;
static struct frame call;

static uint64_t little(uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return __builtin_bswap64(word);
#else
	return word;
#endif
}

static void frame_words_turn(struct frame *frame, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		frame->word[i] = little(frame->word[i]);
}

void frame_read(struct frame *frame)
{
	uint64_t head[3];

	ground_read(IN, head, sizeof(head));
	frame->kind = little(head[0]);
	frame->words = little(head[1]);
	frame->bytes = little(head[2]);
	if (frame->words > FRAME_WORDS || frame->bytes > FRAME_BYTES)
		ground_exit(4);
	ground_read(IN, frame->word, (size_t)frame->words * 8);
	frame_words_turn(frame, frame->words);
	ground_read(IN, frame->byte, (size_t)frame->bytes);
}

void frame_write(struct frame *frame)
{
	uint64_t head[3] = { little(frame->kind), little(frame->words), little(frame->bytes) };

	frame_words_turn(frame, frame->words);
	ground_write(OUT, head, sizeof(head));
	ground_write(OUT, frame->word, (size_t)frame->words * 8);
	ground_write(OUT, frame->byte, (size_t)frame->bytes);
}

struct frame *call_begin(void)
{
	call.words = 0;
	call.bytes = 0;
	return &call;
}

uint64_t call_make(uint64_t kind)
{
	call.kind = kind;
	frame_write(&call);
	frame_read(&call);
	return call.words ? call.word[0] : 0;
}

/* ---- requests -------------------------------------------------------------------------------- */

static struct vpmu_vcpu *vcpu_of(uint64_t word)
{
	return (struct vpmu_vcpu *)(uintptr_t)word;
}

static void answers(uint64_t word)
{
	answer.word[answer.words++] = word;
}

static void do_read(const uint64_t *word)
{
	uint64_t value = 0;
	int outcome = vpmu_vcpu_read(vcpu_of(word[0]), word[1], &value);

	answers((uint64_t)outcome);
	answers(value);
}

static void do_registers(const uint64_t *word)
{
	for (uint64_t i = 1; i < request.words; i++) {
		uint64_t value = 0;

		answers((uint64_t)vpmu_vcpu_read(vcpu_of(word[0]), word[i], &value));
		answers(value);
	}
}

static void do_write(const uint64_t *word)
{
	answers((uint64_t)vpmu_vcpu_write(vcpu_of(word[0]), word[1], word[2]));
}

static void do_batch(const uint64_t *word)
{
	answers((uint64_t)vpmu_vcpu_batch(vcpu_of(word[0]), word[1], word[2]));
}

static void do_window(const uint64_t *word)
{
	struct vpmu_window window = { sizeof(window), word[1], (uint32_t)word[2], 0 };
	struct vpmu_window_access access = { word[3], (uint32_t)word[4], (uint32_t)word[5],
					     word[6] };

	answers((uint64_t)(int64_t)vpmu_window_access(&window, vcpu_of(word[0]), &access));
	answers(access.value);
}

static void do_call(const uint64_t *word)
{
	answers(vpmu_call(vcpu_of(word[0]), word + 1));
}

static void do_serve(const uint64_t *word)
{
	answers((uint64_t)(int64_t)vpmu_mailbox_serve(vcpu_of(word[0]), (uint32_t)word[1]));
}

static void do_bind(const uint64_t *word)
{
	answers((uint64_t)(int64_t)vpmu_vcpu_bind(vcpu_of(word[0]), (int64_t)word[1]));
}

static void do_act(const uint64_t *word)
{
	static void (*const acts[])(struct vpmu_vcpu *) = { vpmu_vcpu_enter, vpmu_vcpu_leave,
							    vpmu_vcpu_notify, vpmu_vcpu_unbind,
							    vpmu_vcpu_reset };

	acts[word[1]](vcpu_of(word[0]));
}

static void do_stop(const uint64_t *word)
{
	answers((uint64_t)(int64_t)vpmu_vcpu_stop(vcpu_of(word[0])));
}

static void do_resume(const uint64_t *word)
{
	answers((uint64_t)(int64_t)vpmu_vcpu_resume(vcpu_of(word[0])));
}

static void do_remove(const uint64_t *word)
{
	answers((uint64_t)(int64_t)vpmu_vcpu_remove(vcpu_of(word[0])));
}

static void do_convert_to(const uint64_t *word)
{
	struct vpmu_convert_report report = { .size = sizeof(report) };
	struct vpmu_convert_to options = { .size = sizeof(options) };
	struct guest_perf_attr attr;
	int result;

	memcpy(&attr, word, sizeof(attr));
	options.bytes = word[8];
	options.left = word[9];
	options.read_format = word[10];
	options.config_mask = word[11];
	options.config1_mask = word[12];
	options.config2_mask = word[13];
	options.flags = (uint32_t)word[14];
	options.pmu_type = (uint32_t)word[15];
	options.pmu_model = (uint32_t)word[16];
	options.wakeup_events = (uint32_t)word[17];
	memset(answer.byte, 0xa5, 160);
	result = vpmu_convert_to_perf(&attr, &options, answer.byte, word[18], &report);
	answers((uint64_t)(int64_t)result);
	answer.bytes = 160 + strlen(report.name);
	memcpy(answer.byte + 160, report.name, strlen(report.name));
}

static void do_convert_from(const uint64_t *word)
{
	struct vpmu_convert_report report = { .size = sizeof(report) };
	struct vpmu_convert_from options = { .size = sizeof(options) };
	struct guest_perf_attr attr = { 0 };

	options.left = word[0];
	options.config_mask = word[1];
	options.config1_mask = word[2];
	options.config2_mask = word[3];
	options.flags = (uint32_t)word[4];
	options.pmu_type = (uint32_t)word[5];
	options.pmu_model = (uint32_t)word[6];
	answers((uint64_t)(int64_t)vpmu_convert_from_perf(request.byte, request.bytes, &options,
							  &attr, &report));
	answers(report.verdict);
	answers(report.dropped[0]);
	answers(report.dropped[1]);
	answers(report.enable);
	memcpy(answer.word + answer.words, &attr, sizeof(attr));
	answer.words += 8;
	answer.bytes = strlen(report.name);
	memcpy(answer.byte, report.name, strlen(report.name));
}

/* The name that is wrong, a 0, then the name that is written for the words. */
static void do_convert_name(const uint64_t *word)
{
	struct vpmu_convert_report report = { .size = sizeof(report) };
	struct guest_perf_attr attr = { 0 };
	char written[64] = "";

	(void)word;
	answers((uint64_t)(int64_t)vpmu_convert_parse((const char *)request.byte, request.bytes,
						      &attr, &report));
	answers(answer.word[0] ? 0 : (uint64_t)(int64_t)vpmu_convert_name(&attr, written, 32));
	memcpy(answer.word + answer.words, &attr, sizeof(attr));
	answer.words += 8;
	answer.bytes = strlen(report.name) + 1 + strlen(written);
	memcpy(answer.byte, report.name, strlen(report.name) + 1);
	memcpy(answer.byte + strlen(report.name) + 1, written, strlen(written));
}

static void do_order(const uint64_t *word)
{
	(void)word;
	answers(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

/* The kinds of requests from 1 on, in their order. */
static void (*const requests[])(const uint64_t *word) = {
	NULL,	   do_order,	  vm_create,	   vm_destroy,	    vm_add,	  do_remove,
	do_read,   do_registers,  do_write,	   do_batch,	    do_window,	  do_call,
	vm_format, do_serve,	  do_bind,	   do_act,	    vm_attend,	  vm_release,
	vm_return, do_convert_to, do_convert_from, do_convert_name, do_stop,	  do_resume,
	vm_save,   vm_load,	  vcpu_commit,	   image_check,	    image_events, image_convert,
};

void vm_answers(uint64_t word)
{
	answers(word);
}

int ground_main(void)
{
	for (;;) {
		frame_read(&request);
		if (request.kind == 0 || request.kind >= sizeof(requests) / sizeof(requests[0]))
			return 5;
		answer.kind = answer.words = answer.bytes = 0;
		requests[request.kind](request.word);
		frame_write(&answer);
	}
}
