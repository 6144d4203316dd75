/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* How a program begins, and how it calls the system, on each machine. */
#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "ground.h"

int errno;

void ground_begin(void);

enum { SIGCHLD_NUMBER = 17 };

#if defined(__x86_64__)

__asm__(".globl _start\n_start: xorl %ebp, %ebp\n and $-16, %rsp\n call ground_begin\n ud2");
enum {
	CALL_READ = 0,
	CALL_WRITE = 1,
	CALL_IOCTL = 16,
	CALL_FORK = 57,
	CALL_WAIT4 = 61,
	CALL_EXIT_GROUP = 231
};

long ground_call(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}

#elif defined(__i386__)

__asm__(".globl _start\n_start: xorl %ebp, %ebp\n and $-16, %esp\n call ground_begin\n ud2");
enum {
	CALL_READ = 3,
	CALL_WRITE = 4,
	CALL_IOCTL = 54,
	CALL_FORK = 2,
	CALL_WAIT4 = 114,
	CALL_EXIT_GROUP = 252
};

long ground_call(long number, long a, long b, long c, long d)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d)
			 : "memory");
	return result;
}

#elif defined(__s390x__)

__asm__(".globl _start\n_start: lghi %r11, 0\n lay %r15, -160(%r15)\n brasl %r14, ground_begin\n "
	".short 0");
enum {
	CALL_READ = 3,
	CALL_WRITE = 4,
	CALL_IOCTL = 54,
	CALL_FORK = 2,
	CALL_WAIT4 = 114,
	CALL_EXIT_GROUP = 248
};

long ground_call(long number, long a, long b, long c, long d)
{
	register long r1 __asm__("1") = number;
	register long r2 __asm__("2") = a;
	register long r3 __asm__("3") = b;
	register long r4 __asm__("4") = c;
	register long r5 __asm__("5") = d;

	__asm__ volatile("svc 0" : "+d"(r2) : "d"(r1), "d"(r3), "d"(r4), "d"(r5) : "memory");
	return r2;
}

#else

/* The machines that came later share their numbers, and make processes by clone alone. */
enum {
	CALL_READ = 63,
	CALL_WRITE = 64,
	CALL_IOCTL = 29,
	CALL_FORK = 220,
	CALL_WAIT4 = 260,
	CALL_EXIT_GROUP = 94
};

#if defined(__aarch64__)
__asm__(".globl _start\n_start: mov x29, xzr\n bl ground_begin\n brk #0");
#define RESULT __asm__("x0")
#define SECOND __asm__("x1")
#define THIRD __asm__("x2")
#define FOURTH __asm__("x3")
#define NUMBER __asm__("x8")
#define CALL "svc #0"
#elif defined(__riscv)
__asm__(".globl _start\n_start:\n .option push\n .option norelax\n la gp, __global_pointer$\n "
	".option pop\n call ground_begin\n unimp");
#define RESULT __asm__("a0")
#define SECOND __asm__("a1")
#define THIRD __asm__("a2")
#define FOURTH __asm__("a3")
#define NUMBER __asm__("a7")
#define CALL "ecall"
#elif defined(__loongarch__)
__asm__(".globl _start\n_start: bl ground_begin\n break 0");
#define RESULT __asm__("$r4")
#define SECOND __asm__("$r5")
#define THIRD __asm__("$r6")
#define FOURTH __asm__("$r7")
#define NUMBER __asm__("$r11")
#define CALL "syscall 0"
#define CLOBBERS , "$r12", "$r13", "$r14", "$r15", "$r16", "$r17", "$r18", "$r19", "$r20"
#endif
#ifndef CLOBBERS
#define CLOBBERS
#endif

long ground_call(long number, long a, long b, long c, long d)
{
	register long result RESULT = a;
	register long second SECOND = b;
	register long third THIRD = c;
	register long fourth FOURTH = d;
	register long which NUMBER = number;

	__asm__ volatile(CALL
			 : "+r"(result)
			 : "r"(second), "r"(third), "r"(fourth), "r"(which)
			 : "memory" CLOBBERS);
	return result;
}

#endif

_Noreturn void ground_exit(int code)
{
	for (;;)
		(void)ground_call(CALL_EXIT_GROUP, code, 0, 0, 0);
}

void ground_begin(void)
{
	ground_exit(ground_main());
}

void ground_read(int file, void *to, size_t size)
{
	for (size_t at = 0; at < size;) {
		long got =
			ground_call(CALL_READ, file, (long)((char *)to + at), (long)(size - at), 0);

		/* Nothing more will come: whoever asked is gone. */
		if (got <= 0)
			ground_exit(got ? 3 : 0);
		at += (size_t)got;
	}
}

void ground_write(int file, const void *from, size_t size)
{
	for (size_t at = 0; at < size;) {
		long put = ground_call(CALL_WRITE, file, (long)((const char *)from + at),
				       (long)(size - at), 0);

		if (put <= 0)
			ground_exit(3);
		at += (size_t)put;
	}
}

/* The numbers above are those of fork where there is one: it takes no arguments. */
int ground_apart(int (*run)(const void *argument), const void *argument)
{
	int status = 0;
	long child = ground_call(CALL_FORK, SIGCHLD_NUMBER, 0, 0, 0);

	if (child == 0)
		ground_exit(run(argument));
	if (child < 0 || ground_call(CALL_WAIT4, child, (long)&status, 0, 0) != child)
		return 3;
	return status & 0x7f ? 128 + (status & 0x7f) : status >> 8 & 0xff;
}

int ioctl(int file, unsigned long request, ...)
{
	va_list arguments;
	long result;

	va_start(arguments, request);
	result = ground_call(CALL_IOCTL, file, (long)request, va_arg(arguments, long), 0);
	va_end(arguments);
	if (result >= 0)
		return (int)result;
	errno = (int)-result;
	return -1;
}
