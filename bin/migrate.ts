import { Command } from 'commander';
import { readSettings } from './environment.ts';
import { openLog } from './log.ts';
import { openDatabase } from './open-database.ts';
import type { Closing } from './run-role.ts';

export function migrateCommand(): Command {
	return new Command('migrate').description('bring the schema of the database up to this version; safe from several processes at once').action(async () => {
		const settings = readSettings();
		const closers: (() => Promise<void> | void)[] = [];
		const closing: Closing = { add: (_, close) => closers.push(close) };
		try {
			const { embedded } = await openDatabase(settings, openLog({ logLevel: 'warn' }, 'migrate'), closing);
			console.log(`The schema is up to date (${embedded ? 'embedded Postgres' : 'DATABASE_URL'}).`);
		} finally {
			for (const close of closers.reverse()) await close();
		}
	});
}
