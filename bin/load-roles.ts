/** What the roles load once they run; nothing is started (bin/compile-ahead.ts). */
import '#simulator/start-simulator.ts';
import './start-api.ts';
import './start-worker.ts';
import './write-site-apart.ts';
