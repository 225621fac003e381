// Makes the component: types from the contract, their check, and then src/index.js with QuickJS in one file.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';

const world = '{{world}}';
const wit = '.gatewright/wit/v0.1';
const { name } = JSON.parse(readFileSync('package.json', 'utf8'));

// `npm run` puts the tools of node_modules on the path.
function run(program, ...args) {
  const { error, status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (error || status !== 0) {
    console.error(`${program} ${args[0]} failed: ${error?.message ?? stdout + stderr}`);
    process.exit(1);
  }
}

rmSync('types', { recursive: true, force: true });
run('jco', 'guest-types', wit, '--world-name', world, '--out-dir', 'types');
// jco writes 64-bit integers as bigint, and with QuickJS hands over and takes numbers: they are exact
// below 2^53, which are milliseconds for 285,000 years.
for (const file of readdirSync('types/interfaces')) {
  const path = `types/interfaces/${file}`;
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll('bigint', 'number'));
}
run('tsc', '--project', '.');

mkdirSync('dist', { recursive: true });
run(
  'jco', 'componentize', 'src/index.js', '--bundle', '--cwd', '.',
  '--wit', wit, '--world-name', world,
  '--backend', 'quickjs', '--backend-qjs-disable-async',
  '--out', `dist/${name}.wasm`,
);
