import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSigner, makeSigningKey, type Signer } from '#api/sign-feed.ts';
import { ExpectedError } from './expected-error.ts';

/** The key that signs the feeds, made at the first start; two processes that start at once agree on one. @throws ExpectedError when the file holds none */
export async function openSigner(dataDir: string): Promise<Signer> {
	const path = join(dataDir, 'feed-key.pem');
	await mkdir(dataDir, { recursive: true });
	try {
		await writeFile(path, makeSigningKey(), { mode: 0o600, flag: 'wx' });
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
			throw new ExpectedError(`could not write ${path}: ${(error as Error).message}`, 1, { cause: error });
	}
	try {
		return createSigner(await readFile(path, 'utf8'));
	} catch (error) {
		throw new ExpectedError(`expected ${path} to hold an Ed25519 key as PEM: restore it, or remove it and tell your readers the new public key`, 1, {
			cause: error,
		});
	}
}
