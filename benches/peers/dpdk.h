/*
 * What the programs have in common that are told what DPDK's libraries shall do. NAME is the program's; it comes before any
 * other header.
 */
#include "peer.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_config.h>
#include <rte_eal.h>

/* Without huge pages EAL keeps its memory in a memfd, where transparent huge pages do not reach: it falls back to
 * anonymous memory if there is no such call. */
int memfd_create(const char *name, unsigned int flags)
{
	(void)name, (void)flags;
	errno = ENOSYS;
	return -1;
}

/* Huge pages for what EAL took. */
static void huge(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long from, to, inode;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %*s %*s %*s %lu", &from, &to, &inode) == 3 && !inode && to - from >= 4 << 20)
			madvise((void *)from, to - from, MADV_HUGEPAGE);
	if (maps)
		fclose(maps);
}

/* Without cards and huge pages, on one core, with so much memory and the widest instructions that there are. */
static void start_eal(char *program, char *megabytes)
{
	char *args[] = { program, "--no-huge", "-m", megabytes, "--no-pci", "--no-telemetry", "--no-shconf", "--log-level=1",
			 "--force-max-simd-bitwidth=512", "-l", "0", NULL };

	if (rte_eal_init(sizeof(args) / sizeof(*args) - 1, args) < 0)
		die("EAL does not start");
}
