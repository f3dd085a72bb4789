import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { parseS3Address } from './address.ts';
import { firstRegion } from './client.ts';
import { S3Store } from './s3.ts';

describe('firstRegion', () => {
  const region = (address: string, env = {}) => firstRegion(parseS3Address(address), env);

  it.each([
    ['s3.amazonaws.com/bucket', 'us-east-1'],
    ['s3.eu-central-1.amazonaws.com/bucket', 'eu-central-1'],
    ['s3-us-west-2.amazonaws.com/bucket', 'us-west-2'],
    ['s3.dualstack.eu-west-1.amazonaws.com/bucket', 'eu-west-1'],
    ['s3.cn-north-1.amazonaws.com.cn/bucket', 'cn-north-1'],
    ['s3.example.org/bucket', 'us-east-1'],
    ['https://s3.example.org/bucket?region=fr-par', 'fr-par'],
  ])('reads the region of %s as %s', (address, expected) => {
    expect(region(address)).toBe(expected);
  });

  it('asks the environment where the address does not say', () => {
    expect(region('s3.example.org/bucket', { AWS_REGION: 'x-1', AWS_DEFAULT_REGION: 'y-1' })).toBe('x-1');
    expect(region('s3.example.org/bucket', { AWS_REGION: '', AWS_DEFAULT_REGION: 'y-1' })).toBe('y-1');
    expect(region('s3.eu-west-1.amazonaws.com/bucket', { AWS_REGION: 'x-1' })).toBe('eu-west-1');
  });
});

/** What no real server at hand does: to insist on a region, to be silent, to be no S3 server at all. */
describe('an S3 store', () => {
  const { signal } = new AbortController();
  let server: Server;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let store: S3Store;
  const asked: string[] = [];

  beforeEach(async () => {
    asked.length = 0;
    server = createServer((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const credentials = { accessKeyId: 'K', secretAccessKey: 's3cr3t' };
    store = new S3Store(parseS3Address(`http://127.0.0.1:${port}/bucket`), '/', { credentials });
  });
  afterEach(async () => {
    await store.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('asks in the region that the server names, at once and from then on', async () => {
    answer = ({ headers: { authorization = '' } }, response) => {
      if (authorization.includes('/eu-test-9/s3/')) response.end('hello');
      else {
        response.statusCode = 400;
        response.end(
          '<Error><Code>AuthorizationHeaderMalformed</Code><Message>no</Message><Region>eu-test-9</Region></Error>',
        );
      }
    };
    for (let time = 1; time <= 2; time++) {
      const bytes = await store.read('config', undefined, signal);
      expect(Buffer.from(bytes).toString()).toBe('hello');
    }
    expect(asked).toHaveLength(3);
  });

  it('asks once, and leaves it to others to try again', async () => {
    answer = (_, response) => {
      response.statusCode = 503;
      response.end('<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>');
    };
    await expect(store.read('config', undefined, signal)).rejects.toMatchObject({
      code: 'store-broken',
      message: expect.stringContaining('Please reduce your request rate. (SlowDown)') as string,
    });
    expect(asked).toHaveLength(1);
  });

  it('does not take the page of a web server for an object, a list, or a refusal of ours', async () => {
    answer = (_, response) => {
      response.setHeader('content-type', 'text/html').end('<html><body>Welcome<br></body>');
    };
    await expect(Array.fromAsync(store.list('', signal))).rejects.toMatchObject({
      code: 'store-broken',
      hint: expect.stringContaining('really a server that speaks S3') as string,
    });
  });

  it.each([
    ['no list at all', '<html><body>Welcome</body></html>'],
    [
      'a list without an end',
      '<ListBucketResult><Name>bucket</Name><IsTruncated>true</IsTruncated></ListBucketResult>',
    ],
  ])('takes %s for a failure, not for an empty place', async (_what, page) => {
    answer = (_, response) => response.end(page);
    await expect(Array.fromAsync(store.list('', signal))).rejects.toMatchObject({ code: 'store-broken' });
  });

  it('refuses an answer that ignores the range', async () => {
    answer = (_, response) => {
      response.end('0123456789');
    };
    await expect(store.read('config', { offset: 2, length: 3 }, signal)).rejects.toMatchObject({
      code: 'store-broken',
      message: expect.stringContaining('was asked for 3 bytes, and means to send 10') as string,
    });
  });

  it('stops waiting for a silent server when it is told to', async () => {
    const giveUp = new AbortController();
    answer = (_, response) => {
      response.setHeader('content-length', 10).write('01');
      giveUp.abort();
    };
    await expect(store.read('config', undefined, giveUp.signal)).rejects.toMatchObject({ code: 'cancelled' });
  });
});
