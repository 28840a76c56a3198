import { expect, it } from 'vitest';
import { keepFor } from './keep-for.ts';

it('makes once of each object, whatever was made, and nothing of one that looks alike', () => {
	const asked: { readonly n: number }[] = [];
	const halfOf = keepFor((one: { readonly n: number }) => {
		asked.push(one);
		return one.n === 0 ? undefined : one.n / 2;
	});
	const [four, other, none] = [{ n: 4 }, { n: 4 }, { n: 0 }];
	expect([four, four, other, none, none].map(halfOf)).toEqual([2, 2, 2, undefined, undefined]);
	expect(asked).toEqual([four, other, none]);
	expect(asked[1]).toBe(other);
});

it('keeps nothing of what could not be made', () => {
	let fails = true;
	const read = keepFor(() => {
		if (fails) throw new Error('not yet');
		return 1;
	});
	const key = {};
	expect(() => read(key)).toThrow('not yet');
	fails = false;
	expect(read(key)).toBe(1);
});
