import { startAzurite } from '../../../local/azurite.ts';

/** Azurite in a separate process, to be killed: `node azurite-child.ts <folder> <port>`; prints how to connect. */
const [dataDir = '', port = '0'] = process.argv.slice(2);
const azurite = await startAzurite({ dataDir, port: Number(port) });
console.log(JSON.stringify({ connectionString: azurite.connectionString, port: azurite.port }));
