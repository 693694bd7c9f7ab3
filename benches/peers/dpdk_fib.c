/*
 * DPDK's rte_fib, rte_lpm, rte_fib6 and rte_lpm6 as peers of the benches: a program that is told on its standard input what
 * to do, and says how long that took, so that peers can take turns within one round.
 *
 *     dpdk_fib fib|lpm|fib6|lpm6 ROUTES    one line of ROUTES is "ADDRESS LENGTH NEXT-HOP" (the address in hexadecimal)
 *     < look MODE FILE                     FILE holds addresses, 4 bytes each (host order) or 16 (network order)
 *     > NANOSECONDS SUM                    for all of them, with warm caches; SUM is of all next hops, 0xffff where there is none
 *     < churn COUNT SEED                   deletes and inserts COUNT of the routes again
 *     > NANOSECONDS FAILED
 *
 * MODE: for the fibs 0 scalar (macro), 1 scalar (inline), 2 scalar (uniform), 3 AVX-512; for the lpms 0.
 */
#define NAME "dpdk_fib"
#include "dpdk.h"

#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_lpm.h>
#include <rte_lpm6.h>
#include <rte_rib.h>

#define BATCH 64
#define NONE 0xffff

struct route {
	uint8_t address[16];
	uint32_t v4;
	uint8_t length;
	uint16_t hop;
};

static struct route *routes;
static size_t count;
static struct rte_fib *fib;
static struct rte_fib6 *fib6;
static struct rte_lpm *lpm;
static struct rte_lpm6 *lpm6;

static void read_routes(const char *file, int v6)
{
	FILE *in = fopen(file, "r");
	char digits[40];
	unsigned int length, hop;
	size_t room = 0;

	if (!in)
		die("cannot open the routes");
	while (fscanf(in, "%39s %u %u", digits, &length, &hop) == 3) {
		if (count == room)
			routes = realloc(routes, (room = room ? 2 * room : 1024) * sizeof(*routes));
		struct route *r = &routes[count++];

		r->length = length, r->hop = hop;
		if (v6)
			for (int i = 0; i < 16; i++)
				sscanf(digits + 2 * i, "%2hhx", &r->address[i]);
		else
			r->v4 = strtoul(digits, NULL, 16);
	}
	fclose(in);
}

static int add(const struct route *r)
{
	if (fib)
		return rte_fib_add(fib, r->v4, r->length, r->hop);
	if (fib6)
		return rte_fib6_add(fib6, r->address, r->length, r->hop);
	if (lpm)
		return rte_lpm_add(lpm, r->v4, r->length, r->hop);
	return rte_lpm6_add(lpm6, r->address, r->length, r->hop);
}

static int del(const struct route *r)
{
	if (fib)
		return rte_fib_delete(fib, r->v4, r->length);
	if (fib6)
		return rte_fib6_delete(fib6, r->address, r->length);
	if (lpm)
		return rte_lpm_delete(lpm, r->v4, r->length);
	return rte_lpm6_delete(lpm6, r->address, r->length);
}

static void make(const char *kind)
{
	if (!strcmp(kind, "fib")) {
		struct rte_fib_conf conf = { .type = RTE_FIB_DIR24_8, .default_nh = NONE >> 1, .max_routes = count + 65536 };

		conf.dir24_8.nh_sz = RTE_FIB_DIR24_8_2B;
		conf.dir24_8.num_tbl8 = 32767;
		fib = rte_fib_create("fib", SOCKET_ID_ANY, &conf);
	} else if (!strcmp(kind, "fib6")) {
		struct rte_fib6_conf conf = { .type = RTE_FIB6_TRIE, .default_nh = NONE, .max_routes = count + 65536 };

		conf.trie.nh_sz = RTE_FIB6_TRIE_4B;
		conf.trie.num_tbl8 = 1 << 19;
		fib6 = rte_fib6_create("fib6", SOCKET_ID_ANY, &conf);
	} else if (!strcmp(kind, "lpm")) {
		struct rte_lpm_config conf = { .max_rules = count + 65536, .number_tbl8s = 65536 };

		lpm = rte_lpm_create("lpm", SOCKET_ID_ANY, &conf);
	} else {
		struct rte_lpm6_config conf = { .max_rules = count + 65536, .number_tbl8s = 1 << 17 };

		lpm6 = rte_lpm6_create("lpm6", SOCKET_ID_ANY, &conf);
	}
	if (!fib && !fib6 && !lpm && !lpm6)
		die("cannot make the table");
	huge();
	for (size_t i = 0; i < count; i++)
		if (add(&routes[i]))
			die("a route is refused");
}

static uint64_t look4(const void *list, size_t size)
{
	const uint32_t *addresses = list;
	uint64_t sum = 0;

	for (size_t at = 0; at + BATCH <= size / 4; at += BATCH) {
		if (fib) {
			uint64_t hops[BATCH];

			rte_fib_lookup_bulk(fib, (uint32_t *)addresses + at, hops, BATCH);
			for (int i = 0; i < BATCH; i++)
				sum += hops[i] == NONE >> 1 ? NONE : hops[i];
		} else {
			uint32_t hops[BATCH];

			rte_lpm_lookup_bulk(lpm, addresses + at, hops, BATCH);
			for (int i = 0; i < BATCH; i++)
				sum += hops[i] & RTE_LPM_LOOKUP_SUCCESS ? hops[i] & 0xffffff : NONE;
		}
	}
	return sum;
}

static uint64_t look6(const void *list, size_t size)
{
	uint8_t (*addresses)[16] = (void *)list;
	uint64_t sum = 0;

	for (size_t at = 0; at + BATCH <= size / 16; at += BATCH) {
		if (fib6) {
			uint64_t hops[BATCH];

			rte_fib6_lookup_bulk(fib6, addresses + at, hops, BATCH);
			for (int i = 0; i < BATCH; i++)
				sum += hops[i];
		} else {
			int32_t hops[BATCH];

			rte_lpm6_lookup_bulk_func(lpm6, addresses + at, hops, BATCH);
			for (int i = 0; i < BATCH; i++)
				sum += hops[i] < 0 ? NONE : hops[i];
		}
	}
	return sum;
}

static void look_in(int mode, const char *file)
{
	static const enum rte_fib_lookup_type types[] = {
		RTE_FIB_LOOKUP_DIR24_8_SCALAR_MACRO, RTE_FIB_LOOKUP_DIR24_8_SCALAR_INLINE,
		RTE_FIB_LOOKUP_DIR24_8_SCALAR_UNI, RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512,
	};

	if (mode < 0 || mode > 3)
		die("no such mode");
	if (fib && rte_fib_select_lookup(fib, types[mode]))
		die("no such lookup here");
	if (fib6 && rte_fib6_select_lookup(fib6, mode == 3 ? RTE_FIB6_LOOKUP_TRIE_VECTOR_AVX512 : RTE_FIB6_LOOKUP_TRIE_SCALAR))
		die("no such lookup here");
	look(file, fib || lpm ? look4 : look6);
}

static void churn(size_t times, uint64_t seed)
{
	uint64_t before = now();
	size_t failed = 0;

	for (size_t i = 0; i < times; i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		const struct route *r = &routes[(seed >> 33) % count];

		failed += del(r) != 0;
		failed += add(r) != 0;
	}
	printf("%" PRIu64 " %zu\n", now() - before, failed);
}

int main(int argc, char **argv)
{
	char line[4096], file[4000];
	unsigned long long seed;
	size_t times;
	int mode;

	if (argc != 3)
		die("usage: dpdk_fib fib|lpm|fib6|lpm6 ROUTES");
	start_eal(argv[0], "1536");
	read_routes(argv[2], strchr(argv[1], '6') != NULL);
	make(argv[1]);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "look %d %3999s", &mode, file) == 2)
			look_in(mode, file);
		else if (sscanf(line, "churn %zu %llu", &times, &seed) == 2)
			churn(times, seed);
		else
			die("what?");
		fflush(stdout);
	}
	return 0;
}
