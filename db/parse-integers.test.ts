import fc from 'fast-check';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { parseIntegers } from './sql.ts';

// Of `integer[]`, in pg_type.dat.
const general = pg.types.getTypeParser(1007 as unknown as typeof pg.types.builtins.INT4);

describe('an array of integers', () => {
	test('is read like the general parser reads it', () => {
		fc.assert(
			fc.property(fc.array(fc.oneof(fc.integer(), fc.nat({ max: 300 }))), (numbers) => {
				const text = `{${numbers.join(',')}}`;
				expect(parseIntegers(text)).toEqual(numbers);
				expect(general(text)).toEqual(numbers);
			}),
		);
	});

	test.each(['{}', '{NULL,7}', '{7,NULL,-2}', '{{1,2},{3,4}}', '[2:3]={5,6}', '{-32768,32767}'])('%s too', (text) => {
		expect(parseIntegers(text)).toEqual(general(text));
	});
});
