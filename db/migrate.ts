import { readdir, readFile } from 'node:fs/promises';
import { advisoryLocks, type Db, transaction } from './sql.ts';

interface Migration {
	readonly number: number;
	readonly name: string;
	readonly text: string;
}

const folder = new URL('./migrations/', import.meta.url);

/**
 * Brings the schema `linnet` up to this code, in one transaction; any number of processes may call it at once.
 * @returns the numbers it applied, ascending; empty when there was nothing to do.
 * @throws when the schema is newer than the code.
 */
export async function migrate(db: Db): Promise<number[]> {
	const migrations = await listMigrations();
	const latest = migrations.at(-1)?.number ?? 0;
	return transaction(db, async (tx) => {
		await tx.execute('set local statement_timeout = 0');
		await tx.execute('select pg_advisory_xact_lock($1)', [advisoryLocks.migrations]);
		const [found] = await tx.execute<{ exists: boolean }>("select to_regclass('linnet.migrations') is not null as exists");
		const rows = found?.exists ? await tx.execute<{ number: number }>('select number from linnet.migrations') : [];
		const applied = new Set(rows.map(({ number }) => number));
		const current = Math.max(0, ...applied);
		if (current > latest) {
			throw new Error(
				`The database schema is at migration ${current}, this version of Linnet knows only ${latest}: it was migrated by a newer one. Run that version, or a newer one still; there is no way back.`,
			);
		}
		// Not just what is above the newest: branches are merged in any order, and a lower number may come later.
		const pending = migrations.filter(({ number }) => !applied.has(number));
		for (const { number, name, text } of pending) {
			try {
				await tx.execute(text);
			} catch (cause) {
				throw new Error(`Migration ${name} failed; the schema is unchanged.`, { cause });
			}
			await tx.execute('insert into linnet.migrations (number, name) values ($1, $2)', [number, name]);
		}
		return pending.map(({ number }) => number);
	});
}

async function listMigrations(): Promise<Migration[]> {
	const names = (await readdir(folder)).filter((name) => /^\d{4}_.+\.sql$/.test(name)).sort();
	return Promise.all(names.map(async (name) => ({ number: Number(name.slice(0, 4)), name, text: await readFile(new URL(name, folder), 'utf8') })));
}
