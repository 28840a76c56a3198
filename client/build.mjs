/** dist/: the library as one ES module, minified, with its types. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';

const dir = import.meta.dirname;
const out = process.argv[2] ?? join(dir, 'dist');
await build({
	entryPoints: [join(dir, 'health-client.ts')],
	outfile: join(out, 'health-client.js'),
	bundle: true,
	minify: true,
	format: 'esm',
	target: 'es2022',
});
execFileSync(
	process.execPath,
	[
		join(dir, '..', 'node_modules', 'typescript', 'bin', 'tsc'),
		...['--declaration', '--emitDeclarationOnly', '--ignoreConfig', '--target', 'es2022', '--module', 'esnext', '--lib', 'es2022,dom,dom.asynciterable'],
		...['--outDir', out, join(dir, 'health-client.ts')],
	],
	{ stdio: 'inherit' },
);
