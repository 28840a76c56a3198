import pg from 'pg';

/**
 * A connection that the server ends while it is in use fails the statement under way, which is heard. pg emits 'error' besides, and a pool listens to
 * that only while the connection is idle: without a listener the process would end (seen with `pg_terminate_backend`, in our pools and in BullMQ's).
 */
export class SteadyClient extends pg.Client {
	constructor(config?: string | pg.ClientConfig) {
		super(config);
		this.on('error', () => {});
	}
}
