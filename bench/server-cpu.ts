import { readFile } from 'node:fs/promises';
import type { Db } from '#db/sql.ts';

// Linux counts in ticks of 1/100 s, whatever the kernel's own clock (man 5 proc).
const tickMs = 10;

/** CPU that the one connection of a pool with `max: 1` has used in the server so far, ms. */
export async function serverCpuMs(db: Db): Promise<number> {
	const [row] = await db.execute<{ pid: number }>('select pg_backend_pid() as pid');
	const stat = await readFile(`/proc/${row?.pid}/stat`, 'utf8');
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	return (Number(fields[11]) + Number(fields[12])) * tickMs;
}
