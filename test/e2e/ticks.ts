/** Which process took which tick of a vantage's shards, as BullMQ keeps it with the job. */
import { Queue } from 'bullmq';
import { nominalTick } from '#workers/shard-ticks.ts';

export interface TakenTick {
	readonly shard: number;
	/** Nominal time, ms since epoch. */
	readonly tickAt: number;
	/** Of the process that took it last. */
	readonly pid: number;
	readonly active: boolean;
}

export interface TickBook {
	/** As many as BullMQ remembers. */
	taken(): Promise<TakenTick[]>;
	/** Pids of the processes that wait for ticks. */
	workers(): Promise<number[]>;
	close(): Promise<void>;
}

const pidOf = (name: string | undefined) => Number(name?.split(':').at(-1));

export function openTickBook(redisUrl: string, vantage: string): TickBook {
	const queue = new Queue(`probe-${vantage}`, { connection: { url: redisUrl } });
	queue.on('error', () => {}); // Redis is emptied and stopped beside.
	return {
		async taken() {
			const [active, completed] = await Promise.all([queue.getJobs('active'), queue.getJobs('completed')]);
			return [...active.map((job) => ({ job, active: true })), ...completed.map((job) => ({ job, active: false }))].flatMap(({ job, active: isActive }) => {
				const nominal = /^repeat:.*:(\d{13,})$/.exec(job.id ?? '')?.[1];
				const { job: what, shard, everyMs } = job.data as { job: string; shard: number; everyMs?: number };
				if (what !== 'shard' || nominal === undefined) return [];
				return [{ shard, tickAt: nominalTick(shard, Number(nominal), everyMs), pid: pidOf(job.processedBy), active: isActive }];
			});
		},
		workers: async () => (await queue.getWorkers()).map(({ rawname }) => pidOf(rawname)),
		close: () => queue.close(),
	};
}
