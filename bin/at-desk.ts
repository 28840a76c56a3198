/** A command of on-call: the desk over the record, its answer printed. */
import { userInfo } from 'node:os';
import { Option } from 'commander';
import { BadSaying, type OnCallDesk } from '#api/on-call-desk.ts';
import { readSettings } from './environment.ts';
import { ExpectedError } from './expected-error.ts';
import { openKnownSecrets } from './known-secrets.ts';
import { openLog } from './log.ts';
import { createOnCallDesk } from './on-call-desk.ts';
import { openDatabase } from './open-database.ts';
import { recordOf } from './record-of.ts';
import type { Closing } from './run-role.ts';

/** @throws ExpectedError with what was expected, or that there is no such subject */
export async function atDesk(ask: (desk: OnCallDesk) => Promise<object | null>): Promise<void> {
	const closers: (() => Promise<void> | void)[] = [];
	const closing: Closing = { add: (_, close) => closers.push(close) };
	try {
		const settings = readSettings();
		const { db } = await openDatabase(recordOf(settings), openLog({ logLevel: 'warn' }, 'on-call'), closing, { connections: 1 });
		const answer = await ask(createOnCallDesk(db, Date.now, openKnownSecrets(settings.configPath)));
		if (answer === null) throw new ExpectedError('there is none of this id');
		console.log(JSON.stringify(answer, null, '\t'));
	} catch (error) {
		if (error instanceof BadSaying) throw new ExpectedError(error.message, 2);
		throw error;
	} finally {
		for (const close of closers.reverse()) await close();
	}
}

export const byOption = () => new Option('--by <name>', 'who says so').default(userInfo().username);

/** Fields that were given, under their own names. */
export function given<T extends object>(fields: T): Partial<T> {
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}
