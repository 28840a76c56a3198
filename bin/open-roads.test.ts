import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { isWanted } from './open-roads.ts';

const here = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

describe('traces', () => {
	it.each<[string, NodeJS.ProcessEnv, boolean]>([
		['nothing is set', {}, false],
		['only other OTEL variables are set', { OTEL_SERVICE_NAME: 'mine', OTEL_TRACES_SAMPLER: 'always_on' }, false],
		['empty values', { OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_TRACES_EXPORTER: '' }, false],
		['an endpoint', here, true],
		['an endpoint of traces', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' }, true],
		['the exporter by name', { OTEL_TRACES_EXPORTER: 'otlp' }, true],
		['an endpoint for others, and no traces', { ...here, OTEL_TRACES_EXPORTER: 'none' }, false],
		['an SDK that is disabled', { ...here, OTEL_SDK_DISABLED: 'true' }, false],
	])('with %s are as the standard variables say', (_, env, wanted) => {
		expect(isWanted(env)).toBe(wanted);
	});

	it('refuse an exporter that is not here, by name', () => {
		expect(() => isWanted({ OTEL_TRACES_EXPORTER: 'zipkin' })).toThrow('OTEL_TRACES_EXPORTER: expected otlp or none, got "zipkin"');
	});

	it('cost a worker without them no module of the SDK', async () => {
		const script = `
			import { createRequire } from 'node:module';
			await import('#bin/start-worker.ts');
			const { openRoads } = await import('#bin/open-roads.ts');
			const loaded = () => Object.keys(createRequire(import.meta.url).cache).filter((path) => /@opentelemetry.(sdk|exporter|otlp)/.test(path)).length;
			const roads = await openRoads('probe', {}, { add() {} }, {});
			const before = loaded();
			await openRoads('probe', {}, { add() {} }, { OTEL_TRACES_EXPORTER: 'otlp' });
			console.log(JSON.stringify([roads, before, loaded() > 0]));`;
		const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { cwd: join(import.meta.dirname, '..') });
		expect(JSON.parse(stdout)).toEqual([null, 0, true]);
	}, 120_000);
});
