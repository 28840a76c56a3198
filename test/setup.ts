// No test may reach the outside: an undici or fetch call that escapes a fake fails at once. Sockets to loopback stay open.
process.env.TZ = 'Pacific/Auckland'; // A test that passes only in UTC hides a bug.
