/** A failure that the person at the terminal can mend: shown as its message alone, without a stack. */
export class ExpectedError extends Error {
	override readonly name = 'ExpectedError';
	/** 1: it failed. 2: wrong usage or configuration. */
	readonly exitCode: 1 | 2;

	constructor(message: string, exitCode: 1 | 2 = 1, options?: ErrorOptions) {
		super(message, options);
		this.exitCode = exitCode;
	}
}
