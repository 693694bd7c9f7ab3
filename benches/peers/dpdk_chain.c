/*
 * Routers in a row, made of DPDK's libraries, as the peer of `chain`: a program that is told on its standard input what to
 * do, and says how long that took, so that it takes its turn in each round.
 *
 *     dpdk_chain HOPS ROUTES DESTINATIONS  one line of ROUTES is "ADDRESS LENGTH NEXT-HOP" (the address in hexadecimal);
 *                                          DESTINATIONS holds addresses, 4 bytes each (host order)
 *     < run COUNT                          sends so many frames of 60 bytes through all routers
 *     > NANOSECONDS ARRIVED
 *
 * A frame is copied into an mbuf at the source. Each router takes a burst of 32 from its ring, checks Ethernet, the IPv4
 * header and its checksum, looks the destinations up with rte_lpm_lookup_bulk, takes one from the TTL and mends the
 * checksum, writes both MACs, counts, and puts the burst in the next ring. It knows no neighbours, no sources, no filters.
 */
#define NAME "dpdk_chain"
#include "dpdk.h"

#include <rte_cycles.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_lpm.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <rte_ring.h>
#include <rte_udp.h>

#define BURST 32
#define FRAME 60
#define ROOM 1024
/* How far ahead headers are fetched. */
#define AHEAD 4

struct router {
	struct rte_ring *in, *out;
	struct rte_ether_addr mac, source, next;
	uint64_t received, bytes, sent, dropped[4];
};

struct frame {
	struct rte_ether_hdr ether;
	struct rte_ipv4_hdr ip;
	struct rte_udp_hdr udp;
	uint8_t payload[18];
} __rte_packed __rte_aligned(2);

static struct rte_mempool *pool;
static struct rte_lpm *lpm;
static struct router *routers;
static struct rte_ring *sink;
static struct frame *frames;
static size_t hops, destinations, next;

static void read_routes(const char *file)
{
	struct rte_lpm_config conf = { .max_rules = 1 << 20, .number_tbl8s = 4096 };
	FILE *in = fopen(file, "r");
	unsigned int address, length, hop;

	lpm = rte_lpm_create("lpm", SOCKET_ID_ANY, &conf);
	if (!in || !lpm)
		die("cannot open the routes, or cannot make the table");
	huge();
	while (fscanf(in, "%x %u %u", &address, &length, &hop) == 3)
		if (rte_lpm_add(lpm, address, length, hop))
			die("a route is refused");
	fclose(in);
}

static struct rte_ether_addr mac(size_t router, uint8_t port)
{
	struct rte_ether_addr mac = { .addr_bytes = { 2, 0, 0, router >> 8, router, port } };

	return mac;
}

static void read_destinations(const char *file)
{
	FILE *in = fopen(file, "r");
	uint32_t address;
	long size;

	if (!in || fseek(in, 0, SEEK_END) || (size = ftell(in)) < 4)
		die("cannot open the destinations");
	rewind(in);
	frames = calloc(size / 4, sizeof(*frames));
	while (fread(&address, 4, 1, in) == 1) {
		struct frame *frame = &frames[destinations++];

		frame->ether.dst_addr = mac(0, 2);
		frame->ether.src_addr = mac(0xffff, 3);
		frame->ether.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
		frame->ip = (struct rte_ipv4_hdr){
			.version_ihl = 0x45, .total_length = rte_cpu_to_be_16(FRAME - 14), .time_to_live = 255,
			.next_proto_id = IPPROTO_UDP, .src_addr = rte_cpu_to_be_32(RTE_IPV4(10, 0, 0, 1)),
			.dst_addr = rte_cpu_to_be_32(address),
		};
		frame->ip.hdr_checksum = rte_ipv4_cksum(&frame->ip);
		frame->udp.src_port = rte_cpu_to_be_16(4000);
		frame->udp.dst_port = rte_cpu_to_be_16(5000);
		frame->udp.dgram_len = rte_cpu_to_be_16(FRAME - 34);
		frame->udp.dgram_cksum = rte_ipv4_udptcp_cksum(&frame->ip, &frame->udp);
	}
	fclose(in);
}

static struct rte_ring *ring(size_t number)
{
	char name[32];
	struct rte_ring *ring;

	snprintf(name, sizeof(name), "ring%zu", number);
	ring = rte_ring_create(name, ROOM, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (!ring)
		die("cannot make a ring");
	return ring;
}

static void make(void)
{
	pool = rte_pktmbuf_pool_create("pool", 8191, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	routers = aligned_alloc(64, (hops * sizeof(*routers) + 63) / 64 * 64);
	if (!pool || !routers)
		die("cannot make the pool");
	memset(routers, 0, hops * sizeof(*routers));
	for (size_t i = 0; i < hops; i++) {
		routers[i].in = i ? routers[i - 1].out : ring(0);
		routers[i].out = ring(i + 1);
		routers[i].mac = mac(i, 2);
		routers[i].source = mac(i, 3);
		routers[i].next = mac(i + 1, 2);
	}
	sink = routers[hops - 1].out;
}

/* Whether a frame is one that a router passes on; the kind of fault if not. */
static inline int check(const struct router *router, const struct rte_mbuf *mbuf)
{
	const struct frame *frame = rte_pktmbuf_mtod(mbuf, struct frame *);
	uint16_t length = rte_be_to_cpu_16(frame->ip.total_length);

	if (mbuf->data_len < 34 || frame->ether.ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4))
		return 1;
	if (!rte_is_same_ether_addr(&frame->ether.dst_addr, &router->mac))
		return 2;
	if (frame->ip.version_ihl != 0x45 || length < 20 || length > mbuf->data_len - 14)
		return 3;
	if (rte_ipv4_cksum(&frame->ip) != 0 || frame->ip.time_to_live <= 1)
		return 3;
	return 0;
}

static void hop(struct router *router)
{
	struct rte_mbuf *burst[BURST], *good[BURST];
	uint32_t addresses[BURST], hops[BURST];
	unsigned int count, passed = 0, left = 0;

	count = rte_ring_sc_dequeue_burst(router->in, (void **)burst, BURST, NULL);
	for (unsigned int i = 0; i < count && i < AHEAD; i++)
		rte_prefetch0(rte_pktmbuf_mtod(burst[i], void *));
	for (unsigned int i = 0; i < count; i++) {
		int fault;

		if (i + AHEAD < count)
			rte_prefetch0(rte_pktmbuf_mtod(burst[i + AHEAD], void *));
		router->received++;
		router->bytes += burst[i]->pkt_len;
		fault = check(router, burst[i]);
		if (unlikely(fault)) {
			router->dropped[fault]++;
			rte_pktmbuf_free(burst[i]);
			continue;
		}
		addresses[passed] = rte_be_to_cpu_32(rte_pktmbuf_mtod(burst[i], struct frame *)->ip.dst_addr);
		good[passed++] = burst[i];
	}
	rte_lpm_lookup_bulk(lpm, addresses, hops, passed);
	for (unsigned int i = 0; i < passed; i++) {
		struct frame *frame = rte_pktmbuf_mtod(good[i], struct frame *);
		uint32_t sum;

		if (unlikely(!(hops[i] & RTE_LPM_LOOKUP_SUCCESS))) {
			router->dropped[0]++;
			rte_pktmbuf_free(good[i]);
			continue;
		}
		frame->ip.time_to_live--;
		sum = frame->ip.hdr_checksum + rte_cpu_to_be_16(0x0100);
		frame->ip.hdr_checksum = sum + (sum >> 16);
		frame->ether.dst_addr = router->next;
		frame->ether.src_addr = router->source;
		good[left++] = good[i];
	}
	count = rte_ring_sp_enqueue_burst(router->out, (void **)good, left, NULL);
	router->sent += count;
	for (unsigned int i = count; i < left; i++)
		rte_pktmbuf_free(good[i]);
}

static unsigned int feed(unsigned int count)
{
	struct rte_mbuf *burst[BURST];

	if (rte_pktmbuf_alloc_bulk(pool, burst, count))
		die("no mbufs are left");
	for (unsigned int i = 0; i < count; i++) {
		rte_memcpy(rte_pktmbuf_mtod(burst[i], void *), &frames[next], FRAME);
		burst[i]->data_len = burst[i]->pkt_len = FRAME;
		next = next + 1 < destinations ? next + 1 : 0;
	}
	return rte_ring_sp_enqueue_burst(routers[0].in, (void **)burst, count, NULL);
}

static unsigned int drain(void)
{
	struct rte_mbuf *burst[BURST];
	unsigned int count = rte_ring_sc_dequeue_burst(sink, (void **)burst, BURST, NULL);

	rte_pktmbuf_free_bulk(burst, count);
	return count;
}

static void run(size_t count)
{
	uint64_t before = now(), arrived = 0;

	for (size_t left = count; left > 0;) {
		left -= feed(left < BURST ? left : BURST);
		for (size_t i = 0; i < hops; i++)
			hop(&routers[i]);
		arrived += drain();
	}
	printf("%" PRIu64 " %" PRIu64 "\n", now() - before, arrived);
}

int main(int argc, char **argv)
{
	char line[256];
	size_t count;

	if (argc != 4 || !(hops = strtoul(argv[1], NULL, 10)))
		die("usage: dpdk_chain HOPS ROUTES DESTINATIONS");
	start_eal(argv[0], "512");
	read_routes(argv[2]);
	read_destinations(argv[3]);
	make();
	huge();
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "run %zu", &count) != 1)
			die("what?");
		run(count);
		fflush(stdout);
	}
	return 0;
}
