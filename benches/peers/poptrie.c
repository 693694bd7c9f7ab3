/*
 * Poptrie as its paper describes it (Asai and Ohara, "Poptrie: A Compressed Trie with Population Count for Fast and Scalable
 * Software IP Routing Table Lookup", SIGCOMM 2015), with direct pointing by 18 bits and leaf vectors, for IPv4 and lookups
 * only: written for these benches from the paper. It is told what to do as dpdk_fib.c is:
 *
 *     poptrie v4 ROUTES
 *     < look 0 FILE
 *     > NANOSECONDS SUM
 */
#define NAME "poptrie"
#include "peer.h"

#include <string.h>

#define DIRECT 18
#define CHUNK 6
#define LEAF (1u << 31)
#define NONE 0xffff

/* What the table is built from: a binary tree, a next hop (plus one) at some of its nodes. */
struct branch {
	struct branch *children[2];
	uint16_t leaf;
};

struct node {
	uint64_t vector; /* which of 64 places are nodes */
	uint64_t leafvec; /* where another leaf begins */
	uint32_t base0; /* the first leaf */
	uint32_t base1; /* the first node below */
};

static uint32_t direct[1 << DIRECT];
static struct node *nodes;
static uint16_t *leaves;
static size_t node_count, node_room, leaf_count, leaf_room;

static void *grown(void *list, size_t *room, size_t want, size_t size)
{
	while (*room < want)
		*room = *room ? *room * 2 : 1 << 16;
	list = realloc(list, *room * size);
	if (!list)
		die("no memory");
	return list;
}

static void insert(struct branch *at, uint32_t address, unsigned int length, uint16_t leaf)
{
	for (unsigned int bit = 0; bit < length; bit++) {
		struct branch **next = &at->children[address >> (31 - bit) & 1];

		if (!*next && !(*next = calloc(1, sizeof(**next))))
			die("no memory");
		at = *next;
	}
	at->leaf = leaf;
}

/* Goes down by some bits; the last leaf on the way is left in `leaf`. */
static const struct branch *descend(const struct branch *at, uint32_t bits, int count, uint16_t *leaf)
{
	while (at && count--) {
		at = at->children[bits >> count & 1];
		if (at && at->leaf)
			*leaf = at->leaf;
	}
	return at && (at->children[0] || at->children[1]) ? at : NULL;
}

static void fill(size_t place, const struct branch *top, uint16_t inherited)
{
	const struct branch *below[64];
	uint16_t leaf[64], last = 0;
	struct node node = { 0 };
	size_t count = 0;

	node.base0 = leaf_count;
	for (int v = 0; v < 64; v++) {
		leaf[v] = inherited;
		below[v] = descend(top, v, CHUNK, &leaf[v]);
		if (below[v]) {
			node.vector |= 1ull << v;
			count++;
		} else if (leaf_count == node.base0 || leaf[v] != last) {
			node.leafvec |= 1ull << v;
			leaves = grown(leaves, &leaf_room, leaf_count + 1, sizeof(*leaves));
			leaves[leaf_count++] = last = leaf[v];
		}
	}
	node.base1 = node_count;
	node_count += count;
	nodes = grown(nodes, &node_room, node_count, sizeof(*nodes));
	nodes[place] = node;
	for (int v = 0, child = 0; v < 64; v++)
		if (below[v])
			fill(node.base1 + child++, below[v], leaf[v]);
}

static void build(const char *file)
{
	struct branch top = { 0 };
	unsigned int length, hop;
	char digits[40];
	FILE *in = fopen(file, "r");

	if (!in)
		die("cannot open the routes");
	while (fscanf(in, "%39s %u %u", digits, &length, &hop) == 3)
		insert(&top, strtoul(digits, NULL, 16), length, hop + 1);
	fclose(in);
	for (uint32_t at = 0; at < 1 << DIRECT; at++) {
		uint16_t leaf = top.leaf;
		const struct branch *below = descend(&top, at, DIRECT, &leaf);

		direct[at] = LEAF | leaf;
		if (below) {
			direct[at] = node_count++;
			nodes = grown(nodes, &node_room, node_count, sizeof(*nodes));
			fill(direct[at], below, leaf);
		}
	}
}

static inline unsigned int part(uint64_t key, unsigned int offset)
{
	return key << offset >> (64 - CHUNK);
}

static inline uint16_t lookup(uint32_t address)
{
	uint64_t key = (uint64_t)address << 32;
	uint32_t index = direct[address >> (32 - DIRECT)];
	unsigned int offset = DIRECT, v;

	if (index & LEAF)
		return index;
	v = part(key, offset);
	while (nodes[index].vector & 1ull << v) {
		index = nodes[index].base1 + __builtin_popcountll(nodes[index].vector & ((2ull << v) - 1)) - 1;
		v = part(key, offset += CHUNK);
	}
	return leaves[nodes[index].base0 + __builtin_popcountll(nodes[index].leafvec & ((2ull << v) - 1)) - 1];
}

static uint64_t sum_of(const void *list, size_t size)
{
	const uint32_t *addresses = list;
	uint64_t sum = 0;

	for (size_t at = 0; at < size / 4; at++)
		sum += (uint16_t)(lookup(addresses[at]) - 1);
	return sum;
}

int main(int argc, char **argv)
{
	char line[4096], file[4000];
	int mode;

	if (argc != 3 || strcmp(argv[1], "v4"))
		die("usage: poptrie v4 ROUTES");
	build(argv[2]);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "look %d %3999s", &mode, file) != 2)
			die("what?");
		look(file, sum_of);
		fflush(stdout);
	}
	return 0;
}
