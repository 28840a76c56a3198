import { Command } from 'commander';
import { listOfficialPages } from '#db/official-incidents.ts';
import { catalog, findProvider } from '#providers/catalog.ts';
import { isPageKind, pageKinds } from '#providers/official/index.ts';
import { readOne } from '#workers/watch-official-pages.ts';
import { readConfig } from './config-source.ts';
import { readSettings } from './environment.ts';
import { ExpectedError } from './expected-error.ts';
import { openLog } from './log.ts';
import { openDatabase } from './open-database.ts';
import type { Closing } from './run-role.ts';

export function importHistoryCommand(): Command {
	return new Command('import-history')
		.description('read what a provider’s official status page tells of its past, as a layer of its own words; it enters no number')
		.argument('<provider>', 'a provider of the configuration, or one that Linnet knows')
		.option('--url <url>', 'another page of it, or a feed; with --kind')
		.option('--kind <kind>', Object.keys(pageKinds).join(', '))
		.action(async (provider: string, options: { url?: string; kind?: string }) => {
			const settings = readSettings();
			const targets = ((await readConfig({ ...settings, configNamed: true }).catch(() => null))?.targets ?? []).filter(
				(target) => target.provider === provider,
			);
			const page = pageOf(provider, targets[0]?.officialPage ?? findProvider(provider)?.statusPage ?? null, options);
			const closers: (() => Promise<void> | void)[] = [];
			const closing: Closing = { add: (_, close) => closers.push(close) };
			try {
				const { db } = await openDatabase(settings, openLog({ logLevel: 'warn' }, 'import-history'), closing, { connections: 1 });
				// Without validators: all of it is wanted.
				const { incidents, problem } = await readOne(db, provider, page, targets, null, Date.now);
				if (problem !== null) throw new ExpectedError(problem);
				console.log(`${provider}: ${incidents} official incidents new or changed. They are shown as the provider’s own words, and count nowhere.`);
				const known = (await listOfficialPages(db)).length;
				console.log(`${known} official ${known === 1 ? 'page is' : 'pages are'} read.`);
			} finally {
				for (const close of closers.reverse()) await close();
			}
		});
}

function pageOf(provider: string, known: { url: string; kind: string; only?: string | null } | null, options: { url?: string; kind?: string }) {
	if ((options.url === undefined) !== (options.kind === undefined)) throw new ExpectedError('expected --url and --kind together', 2);
	if (options.url !== undefined && !/^https?:/.test(URL.canParse(options.url) ? options.url : ''))
		throw new ExpectedError(`--url: expected an http or https URL, got "${options.url}"`, 2);
	const { url, kind, only = null } = options.url === undefined ? (known ?? { url: '', kind: '' }) : { url: options.url, kind: options.kind ?? '' };
	if (url === '')
		throw new ExpectedError(`expected a provider of the configuration with a page, or one of ${catalog.map(({ id }) => id).join(', ')}; got "${provider}"`, 2);
	if (!isPageKind(kind)) throw new ExpectedError(`expected a page of kind ${Object.keys(pageKinds).join(', ')}; that of ${provider} is "${kind}"`, 2);
	return { url, kind, only };
}
