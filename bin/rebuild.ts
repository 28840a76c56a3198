import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { rebuildRollups } from '#workers/rebuild-rollups.ts';
import { readSettings } from './environment.ts';
import { ExpectedError } from './expected-error.ts';
import { openLog } from './log.ts';
import { openDatabase } from './open-database.ts';
import type { Closing } from './run-role.ts';

const shownPlaces = 20;

export function rebuildCommand(): Command {
	return new Command('rebuild')
		.description('sum the rollups anew from the raw results that are kept, and say which had other digits; safe while the service runs')
		.option('--from <day>', 'first UTC day, YYYY-MM-DD (default: the oldest with raw results)')
		.option('--to <day>', 'last UTC day, YYYY-MM-DD (default: the newest)')
		.option('--check', 'compare only: exit code 1 when a digit differs, and nothing is written')
		.action(async (options: { from?: string; to?: string; check?: boolean }) => {
			for (const [name, day] of [['--from', options.from] as const, ['--to', options.to] as const])
				if (day !== undefined && !z.iso.date().safeParse(day).success) throw new ExpectedError(`${name}: expected a UTC day as YYYY-MM-DD, got "${day}"`, 2);
			const settings = readSettings();
			// Without a configuration `up` runs the demo, whose record is kept apart.
			const isDemo = settings.databaseUrl === null && !settings.configNamed && !existsSync(settings.configPath);
			const closers: (() => Promise<void> | void)[] = [];
			const closing: Closing = { add: (_, close) => closers.push(close) };
			try {
				const log = openLog({ logLevel: 'warn' }, 'rebuild');
				const { db } = await openDatabase(isDemo ? { ...settings, dataDir: join(settings.dataDir, 'demo') } : settings, log, closing, { connections: 1 });
				const days = await rebuildRollups(db, {
					...(options.from === undefined ? {} : { fromDay: options.from }),
					...(options.to === undefined ? {} : { toDay: options.to }),
					checkOnly: options.check === true,
					now: Date.now(),
					log,
				});
				const places = days.flatMap(({ changed }) => changed);
				for (const { day, rollups, changed } of days) console.log(`${day}: ${rollups} rollups, ${changed.length} with other digits`);
				for (const place of places.slice(0, shownPlaces)) console.log(`  ${place}`);
				if (places.length > shownPlaces) console.log(`  and ${places.length - shownPlaces} more`);
				if (days.length === 0) console.log('No day with raw results lies there.');
				if (options.check === true && places.length > 0) process.exitCode = 1;
			} finally {
				for (const close of closers.reverse()) await close();
			}
		});
}
