/** What this process knows to be secret: the values that the environment holds under the names that the configuration gives. */
import { readFile } from 'node:fs/promises';
import { secretsOf } from '#core/redact.ts';
import { catalog } from '#providers/catalog.ts';

/** Of the file's `apiKeyEnv: NAME`, `urlEnv: NAME` …; a file that is at fault names its secrets all the same. */
const namedInFile = /\w*Env["']?\s*:\s*["']?([A-Za-z_]\w*)/g;
const soundsSecret = /(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD)$/;
const ownUrls = ['DATABASE_URL', 'REDIS_URL'];
/** Shorter values, and shorter parts of an address, stand in ordinary words. */
const shortestValue = 8;
const shortestUrlPart = 16;

/** @param configText the file as it stands; empty where there is none. Roles that have no key can't know it. */
export function secretsIn(env: Readonly<Record<string, string | undefined>>, configText: string): readonly string[] {
	const names = [
		...catalog.flatMap(({ apiKeyEnv }) => apiKeyEnv),
		...Array.from(configText.matchAll(namedInFile), ([, name = '']) => name),
		...Object.keys(env).filter((name) => soundsSecret.test(name)),
		...ownUrls,
	];
	const values = [...new Set(names)].map((name) => env[name]?.trim() ?? '').filter(({ length }) => length >= shortestValue);
	const secrets = values.flatMap((value) => (URL.canParse(value) && value.includes('://') ? partsOfUrl(value) : secretsOf(value)));
	// The longest first: of one that is a part of another nothing is left over.
	return [...new Set(secrets)].filter(({ length }) => length >= shortestValue).sort((a, b) => b.length - a.length);
}

/** An address may hold its secret anywhere; its host and short words of its path are none. */
function partsOfUrl(value: string): readonly string[] {
	const { password, pathname, searchParams } = new URL(value);
	const long = [...pathname.split('/'), ...searchParams.values()].filter(({ length }) => length >= shortestUrlPart);
	return [decodeURIComponent(password), ...long, ...(long.length > 0 || password !== '' ? [value] : [])];
}

/** Reads the file each time: it may name others meanwhile. */
export function openKnownSecrets(configPath: string, env: NodeJS.ProcessEnv = process.env): () => Promise<readonly string[]> {
	return async () => secretsIn(env, await readFile(configPath, 'utf8').catch(() => ''));
}
