/**
 * The windows up to an hour, from the results themselves: those of the last hour are kept in memory, 16 bytes each, and each reading takes in what is new.
 * Summed by Postgres at every second publication they took 30 ms of each second for 10,000 targets, and more with each five minutes of the hour; the news
 * take 2, at every one.
 */
import { mergeRollups, type Rollup } from '#core/rollup.ts';
import { type WindowName, windowMs } from '#core/snapshot.ts';
import { type WindowFigures, windowFigures } from '#core/window-figures.ts';
import { rollupOfRow } from './alike-results.ts';
import { findNames } from './names.ts';
import { kindCodes } from './result-codes.ts';
import { findSeries } from './series.ts';
import { type Db, instant, query, type Tx, transaction } from './sql.ts';
import { neverStarted, outcomeBits } from './stored-columns.ts';
import { highestTargetKey } from './targets.ts';

/** The longest first. */
export const briefWindows = ['1h', '30m', '5m'] as const satisfies readonly WindowName[];
type BriefWindow = (typeof briefWindows)[number];

/** A window without slots is missing. */
export type BriefFigures = Readonly<Partial<Record<BriefWindow, WindowFigures>>>;

/** Results of one series: equally long arrays. */
interface NewsRow {
	readonly series_key: number;
	/** The highest of them. */
	readonly seq: number;
	/** ms after the instant that was given. */
	readonly offsets: readonly number[];
	/** Outcome and SLI; `neverRan` of a slot that was missed. */
	readonly codes: readonly number[];
	readonly ttft_codes: readonly number[];
}

const neverRan = -1;

const newsColumns = `max(p.seq) as seq,
	array_agg((date_part('epoch', p.slot_at - $1::timestamptz) * 1000)::int) as offsets,
	array_agg(case p.start_delay_ms when ${neverStarted} then ${neverRan} else p.code & ${outcomeBits} end) as codes,
	array_agg(p.ttft_code) as ttft_codes`;
// Clocks that disagree leave slots a little ahead.
const stretch = `p.slot_at >= $1::timestamptz and p.slot_at < $1::timestamptz + interval '1 day'`;

const selectHour = query<NewsRow>(
	'brief_windows_hour',
	`select s.series_key, own.*
	from series s
	cross join lateral (select ${newsColumns} from probe_results p where p.series_key = s.series_key and ${stretch}) own
	where s.kind = 0 and s.target_key > $2::int and s.target_key <= $3::int and own.seq is not null`,
);
const selectNews = query<NewsRow>(
	'brief_windows_news',
	`select p.series_key, ${newsColumns} from probe_results p where p.seq > $2::bigint and ${stretch} group by p.series_key`,
);

/** Results of the last hour of one series, in order of their slots. */
interface Series {
	readonly key: number;
	readonly canary: string;
	/** ms since epoch. */
	readonly slots: number[];
	/** Of each slot: its code and that of its first token, as one small integer. */
	readonly results: number[];
	/** Index of the first slot in each of `briefWindows`. */
	starts: readonly number[];
}

interface TargetHour {
	readonly id: string;
	/** Those that have a result. */
	series: Series[];
	hasNews: boolean;
	figures: BriefFigures;
}

interface Hour {
	/** Target key → what is kept of it. */
	readonly targets: Map<number, TargetHour>;
	seenSeq: number;
	readAt: number;
}

export interface BriefReader {
	/** Target id → figures of the windows that end now (ms since epoch), as exact as the record. A target that neither gained nor lost a result keeps its very figures. */
	read(now: number): Promise<ReadonlyMap<string, BriefFigures>>;
}

/** After a longer silence all is read anew: in one statement it could be too much. */
const silenceMs = 600_000;
/** Of so many the hour is read in one statement. */
const targetsAtOnce = 2_000;

/** Keeps an hour of results in memory: one for a process. */
export function createBriefReader(db: Db): BriefReader {
	let hour: Hour | null = null;
	const read = async (now: number) => {
		const isFar = hour === null || now < hour.readAt || now - hour.readAt > silenceMs;
		if (hour === null || isFar) hour = await readHour(db, now);
		else hour.seenSeq = await takeIn(db, hour.targets, await db.run(selectNews, [instant(now - windowMs['1h']), hour.seenSeq]), now, hour.seenSeq);
		const found = figuresAt(hour.targets, now);
		hour.readAt = now;
		// Nothing seen is no number to go on from.
		if (hour.seenSeq === 0) hour = null;
		return found;
	};
	let last: Promise<unknown> = Promise.resolve();
	return {
		read(now) {
			const own = last.then(() => read(now));
			last = own.catch(() => {});
			return own;
		},
	};
}

async function readHour(db: Db, now: number): Promise<Hour> {
	const targets: Hour['targets'] = new Map();
	return transaction(db, async (tx) => {
		// One look at all parts: what is committed later has a higher number than all that is seen.
		await tx.execute('set transaction isolation level repeatable read, read only');
		let seenSeq = 0;
		const last = await highestTargetKey(tx);
		for (let after = 0; after < last; after += targetsAtOnce)
			seenSeq = await takeIn(tx, targets, await tx.run(selectHour, [instant(now - windowMs['1h']), after, after + targetsAtOnce]), now, seenSeq);
		return { targets, seenSeq, readAt: now };
	});
}

/** @returns the highest number seen */
async function takeIn(sql: Db | Tx, targets: Hour['targets'], rows: readonly NewsRow[], now: number, seenSeq: number): Promise<number> {
	const seriesOf = await findSeries(
		sql,
		rows.map((row) => row.series_key),
	);
	const parts = rows.map((row) => seriesOf.get(row.series_key));
	const ids = await findNames(
		sql,
		'target',
		parts.map((one) => one?.targetKey ?? 0),
	);
	const canaries = await findNames(
		sql,
		'canary',
		parts.map((one) => one?.canaryKey ?? 0),
	);
	const fromAt = now - windowMs['1h'];
	for (const [i, row] of rows.entries()) {
		const { targetKey = 0, canaryKey = 0, kind = kindCodes.manual } = parts[i] ?? {};
		if (kind !== kindCodes.scheduled) continue;
		const target = targets.get(targetKey) ?? { id: ids.get(targetKey) ?? '', series: [], hasNews: true, figures: {} };
		targets.set(targetKey, target);
		target.hasNews = true;
		let series = target.series.find(({ key }) => key === row.series_key);
		if (series === undefined) {
			series = { key: row.series_key, canary: canaries.get(canaryKey) ?? '', slots: [], results: [], starts: [] };
			target.series.push(series);
		}
		for (const [k, offset] of row.offsets.entries()) put(series, fromAt + offset, pack(row.codes[k] ?? neverRan, row.ttft_codes[k] ?? 0));
	}
	return rows.reduce((highest, { seq }) => Math.max(highest, seq), seenSeq);
}

const pack = (code: number, ttftCode: number) => (code + 1) * 65_536 + ttftCode + 32_768;

/** A slot that is there already has become another result: a marker of a missed one gives way to what came late. */
function put({ slots, results }: Series, slotAt: number, result: number): void {
	const last = slots.at(-1);
	if (last === undefined || slotAt > last) {
		slots.push(slotAt);
		results.push(result);
		return;
	}
	const place = firstAt(slots, slotAt);
	const replaced = slots[place] === slotAt ? 1 : 0;
	slots.splice(place, replaced, slotAt);
	results.splice(place, replaced, result);
}

/** Index of the first slot at or after the instant; their number where there is none. */
function firstAt(slots: readonly number[], at: number): number {
	let [low, high] = [0, slots.length];
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((slots[middle] ?? 0) < at) low = middle + 1;
		else high = middle;
	}
	return low;
}

function figuresAt(targets: Hour['targets'], now: number): Map<string, BriefFigures> {
	const found = new Map<string, BriefFigures>();
	for (const [key, target] of targets) {
		for (const series of target.series) if (moveOn(series, now)) target.hasNews = true;
		if (target.hasNews) target.series = target.series.filter(({ slots }) => slots.length > 0);
		if (target.series.length === 0) {
			targets.delete(key);
			continue;
		}
		if (target.hasNews) target.figures = figuresOf(target.series);
		target.hasNews = false;
		found.set(target.id, target.figures);
	}
	return found;
}

/** @returns whether a result has left a window, or come back into one */
function moveOn(series: Series, now: number): boolean {
	const gone = firstAt(series.slots, now - windowMs['1h']);
	if (gone > 0) {
		series.slots.splice(0, gone);
		series.results.splice(0, gone);
	}
	const before = series.starts;
	series.starts = briefWindows.map((window) => firstAt(series.slots, now - windowMs[window]));
	return gone > 0 || series.starts.some((start, i) => start !== before[i]);
}

function figuresOf(series: readonly Series[]): BriefFigures {
	const figures: Partial<Record<BriefWindow, WindowFigures>> = {};
	for (const [i, window] of briefWindows.entries()) {
		const byCanary: Record<string, Rollup> = {};
		for (const { canary, results, starts } of series) {
			for (const rollup of rollupsOf(results, starts[i] ?? 0, window)) {
				const own = byCanary[canary];
				byCanary[canary] = own === undefined ? rollup : mergeRollups([own, rollup]);
			}
		}
		const [first, ...others] = Object.values(byCanary);
		if (first !== undefined) figures[window] = windowFigures(window, { all: others.length === 0 ? first : mergeRollups([first, ...others]), byCanary });
	}
	return figures;
}

/** One for all results that ended alike. */
function rollupsOf(results: readonly number[], start: number, window: BriefWindow): Rollup[] {
	const alike = new Map<number, number[]>();
	for (let i = start; i < results.length; i++) {
		const result = results[i] ?? 0;
		const code = (result >> 16) - 1;
		const ttftCodes = alike.get(code) ?? [];
		alike.set(code, ttftCodes);
		ttftCodes.push((result & 65_535) - 32_768);
	}
	return [...alike].map(([code, ttftCodes]) =>
		rollupOfRow({
			...{ code, ran: code !== neverRan, slots: ttftCodes.length, input_tokens: null, output_tokens: null, cost_nano_usd: null },
			...(window === '30m' ? { ttft_codes: ttftCodes } : {}),
		}),
	);
}
