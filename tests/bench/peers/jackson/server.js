// SAML Jackson is a library. This is the least server around its handler of SCIM requests: one
// process, as its documentation has it. Arguments: the port; `memory`, or a folder for an SQLite
// database; and for the latter the journal, `delete` or `wal`.
'use strict';

const http = require('node:http');
const path = require('node:path');

const [port, data, journal] = process.argv.slice(2);

// Its documentation has SQLite with a path and no more: a rollback journal, and a commit is on the
// disk when it is answered. The journal is kept in the file, so it can be chosen beforehand. With WAL
// its driver, as it comes, syncs checkpoints and no commits, and Jackson has no option to change that.
function database() {
  if (data === 'memory') return { engine: 'mem', pageLimit: 1000 };
  const url = path.join(data, 'jackson.sqlite');
  const file = require('better-sqlite3')(url);
  file.pragma(`journal_mode = ${journal}`);
  file.close();
  return { engine: 'sql', type: 'sqlite', url, pageLimit: 1000 };
}

async function main() {
  const quiet = () => {};
  const { controllers } = require('@boxyhq/saml-jackson');
  const { directorySyncController } = await controllers({
    externalUrl: `http://127.0.0.1:${port}`,
    samlPath: '/saml',
    db: database(),
    noAnalytics: true,
    // Whoever embeds it takes the events itself; without this each is looked at for a webhook.
    dsync: { callback: async () => {} },
    logger: { info: quiet, warn: quiet, error: console.error },
  });
  const { data: directory, error } = await directorySyncController.directories.create({
    name: 'bench',
    tenant: 'acme.test',
    product: 'bench',
    type: 'okta-scim-v2',
  });
  if (error) throw error;
  const base = `/api/scim/v2.0/${directory.id}`;

  const server = http.createServer(async (request, response) => {
    let status = 500;
    let answer = '';
    try {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const url = new URL(request.url, 'http://127.0.0.1');
      const [, , , , , resourceType, resourceId] = url.pathname.split('/');
      const number = (name) => url.searchParams.has(name) ? Number(url.searchParams.get(name)) : undefined;
      const result = await directorySyncController.requests.handle({
        method: request.method,
        body: chunks.length ? JSON.parse(Buffer.concat(chunks)) : undefined,
        directoryId: directory.id,
        resourceId,
        resourceType,
        apiSecret: (request.headers.authorization || '').replace('Bearer ', ''),
        query: {
          count: number('count'),
          startIndex: number('startIndex'),
          filter: url.searchParams.get('filter') ?? undefined,
        },
      });
      status = result.status;
      answer = JSON.stringify(result.data ?? {});
    } catch (error) {
      answer = JSON.stringify({ detail: String(error) });
    }
    response.writeHead(status, {
      'content-type': 'application/scim+json',
      'content-length': Buffer.byteLength(answer),
    });
    response.end(answer);
  });
  server.keepAliveTimeout = 0;
  server.listen(Number(port), '127.0.0.1', () =>
    console.log(JSON.stringify({ base, token: directory.scim.secret })));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
