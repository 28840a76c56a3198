import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findSchemaFault, matchesSchema } from './json-schema.ts';

const schemas = fc.letrec<{ schema: unknown }>((tie) => ({
	schema: fc.oneof(
		{ maxDepth: 3, withCrossShrink: true },
		fc.boolean(),
		fc.record(
			{
				type: fc.constantFrom('null', 'boolean', 'number', 'integer', 'string', 'array', 'object', ['string', 'null'], ['integer', 'array']),
				enum: fc.uniqueArray(fc.constantFrom(0, 'a', null, true, 'b', 2), { minLength: 1 }),
				const: fc.constantFrom(1, 'a', null, [1], { a: 1 }),
				minimum: fc.integer({ min: -2, max: 2 }),
				exclusiveMaximum: fc.integer({ min: -2, max: 2 }),
				minLength: fc.nat(2),
				maxLength: fc.nat(3),
				pattern: fc.constantFrom('^a', 'b+', '\\p{L}'),
				minItems: fc.nat(2),
				maxItems: fc.nat(2),
				uniqueItems: fc.boolean(),
				maxProperties: fc.nat(2),
				required: fc.uniqueArray(fc.constantFrom('a', 'b')),
				properties: fc.dictionary(fc.constantFrom('a', 'b'), tie('schema'), { maxKeys: 2, noNullPrototype: true }),
				additionalProperties: tie('schema'),
				items: tie('schema'),
				not: tie('schema'),
				anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
				allOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
				oneOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
			},
			{ requiredKeys: [], noNullPrototype: true },
		),
	),
})).schema;

const values = fc.letrec<{ value: unknown }>((tie) => ({
	value: fc.oneof(
		{ maxDepth: 2 },
		fc.constantFrom(null, true, false, 0, 1, 2, -1, 1.5, '', 'a', 'ab', 'b', '𝄞', 'é'),
		fc.array(tie('value'), { maxLength: 3 }),
		fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3, noNullPrototype: true }),
	),
})).value;

describe('an expectation as a schema', () => {
	test('is judged as a full validator judges it', () => {
		const ajv = new Ajv2020({ strict: false });
		fc.assert(
			fc.property(schemas, fc.array(values, { minLength: 1, maxLength: 8 }), (schema, candidates) => {
				expect(findSchemaFault(schema)).toBeNull();
				const validate = ajv.compile(schema as boolean | object);
				for (const value of candidates) {
					if (matchesSchema(schema, value) !== validate(value)) expect({ schema, value, ours: matchesSchema(schema, value) }).toBe(validate(value));
				}
			}),
		);
	});

	test.each([
		[{ type: 'text' }, 'type: expected one of'],
		[{ properties: { city: { format: 'date' } } }, 'properties.city.format: a keyword that is not checked here'],
		[{ items: { pattern: '(' } }, 'items.pattern: expected a regular expression'],
		[{ anyOf: [] }, 'anyOf: expected a list of schemas'],
		[{ anyOf: [true, { minLength: -1 }] }, 'anyOf.1.minLength: expected a number'],
		[{ required: 'a' }, 'required: expected a list of names'],
		['string', 'the schema: expected a mapping'],
	])('%j is refused, with the place', (schema, message) => {
		expect(findSchemaFault(schema)).toContain(message);
	});

	test('that is nested without end is refused', () => {
		let schema: object = {};
		for (let i = 0; i < 40; i++) schema = { not: schema };
		expect(findSchemaFault(schema)).toContain('at most 32 levels');
	});
});
