/*
 * What the programs have in common that are told on their standard input what to do. NAME is the program's; it comes before
 * any other header.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* So many nanoseconds a table is asked, all addresses again and again. */
#define TURN 50000000

static void die(const char *what)
{
	fprintf(stderr, NAME ": %s\n", what);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* Asks a table for the addresses in a file, and says how many nanoseconds it needs for all of them, and the sum of its
 * answers. The first time does not count: it fetches into the caches what others have driven out. */
static inline void look(const char *file, uint64_t (*sum_of)(const void *addresses, size_t size))
{
	FILE *in = fopen(file, "r");
	uint64_t sum, began, took, times = 0;
	void *addresses;
	size_t size;

	if (!in)
		die("cannot open the addresses");
	fseek(in, 0, SEEK_END);
	size = ftell(in);
	rewind(in);
	addresses = aligned_alloc(64, (size + 63) / 64 * 64);
	if (!addresses || fread(addresses, 1, size, in) != size)
		die("cannot read the addresses");
	fclose(in);
	sum = sum_of(addresses, size);
	began = now();
	do {
		if (sum_of(addresses, size) != sum)
			die("other answers than before");
		times++;
		took = now() - began;
	} while (took < TURN);
	printf("%" PRIu64 " %" PRIu64 "\n", took / times, sum);
	free(addresses);
}
