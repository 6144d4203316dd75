/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* When QEMUs are asked, and how long each is waited for: others wait meanwhile. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "watch.h"

/* ---- all of them, a first time --------------------------------------------------------------- */

/* Sockets that are waited for at once: 5,000 silent ones take 20 times the patience for one. */
#define MOST_AT_ONCE 256

struct round {
	const struct session *session;
	struct contact *contacts;
	atomic_uint next; /* target */
};

static void meet(const struct target *target, struct contact *contact, struct qmp_asked *asked)
{
	*asked = (struct qmp_asked){ .name = contact->name };
	contact->answered = watch_ask(target->qmp, asked) >= 0;
	contact->busy = asked->busy;
	contact->pid = asked->pid;
	snprintf(contact->why, sizeof(contact->why), "%s", asked->why);
}

static void *meet_some(void *opaque)
{
	struct round *round = opaque;
	struct qmp_asked *asked = malloc(sizeof(*asked));
	unsigned int i;

	while (asked && !watch_ended &&
	       (i = atomic_fetch_add(&round->next, 1)) < round->session->target_count)
		if (round->session->targets[i].qmp)
			meet(&round->session->targets[i], &round->contacts[i], asked);
	free(asked);
	return NULL;
}

/* How many sockets may be open at once: VMs and events need descriptors too, but later. */
static unsigned int at_once(const struct session *session)
{
	int64_t free_descriptors = vpmu_linux_descriptors(NULL);
	unsigned int count = 0;

	for (uint32_t i = 0; i < session->target_count; i++)
		count += session->targets[i].qmp != NULL;
	if (count > MOST_AT_ONCE)
		count = MOST_AT_ONCE;
	if (free_descriptors >= 0 && count > free_descriptors / 2)
		count = (unsigned int)(free_descriptors / 2);
	return count;
}

struct contact *contact_all(const struct session *session)
{
	pthread_t threads[MOST_AT_ONCE];
	struct round round = { .session = session };
	unsigned int wanted = at_once(session);
	unsigned int begun = 0;

	round.contacts = calloc((size_t)session->target_count + 1, sizeof(*round.contacts));
	if (!round.contacts)
		return NULL;
	/* This thread is one of them. */
	while (begun + 1 < wanted && pthread_create(&threads[begun], NULL, meet_some, &round) == 0)
		begun++;
	(void)meet_some(&round);
	for (unsigned int i = 0; i < begun; i++)
		pthread_join(threads[i], NULL);
	return round.contacts;
}

/* ---- again and again ------------------------------------------------------------------------- */

/* ms for an answer of a socket that was silent before, or that comes late in a bad turn. */
#define PATIENCE_AGAIN 50
/* ms of a turn that may pass with waiting for sockets: those that fall silent, and others. */
#define PATIENCE_FRESH 2000
#define PATIENCE_OF_TURN 200

void contact_turn(struct session *session)
{
	session->fresh = PATIENCE_FRESH;
	session->patience = PATIENCE_OF_TURN;
}

/* One that stalls is asked again, but not at the cost of all the others. */
int contact_ask(struct session *session, struct target *target, const struct qmp_asked **answer)
{
	static struct qmp_asked asked;
	int hurried = target->silent || session->fresh <= 0;
	int64_t *budget = hurried ? &session->patience : &session->fresh;
	int64_t began = now_ns();
	int count;

	*answer = &asked;
	if (*budget <= 0)
		return CONTACT_LATER;
	asked.why[0] = '\0';
	asked.name = target->name;
	asked.patience = hurried ? PATIENCE_AGAIN : 0;
	count = watch_ask(target->qmp, &asked);
	*budget -= (now_ns() - began) / 1000000;
	/* Of one that had little time nothing is known. */
	if (count < 0 && hurried)
		return CONTACT_LATER;
	return count < 0 ? CONTACT_FAILED : count;
}
