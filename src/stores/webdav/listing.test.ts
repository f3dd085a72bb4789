import { describe, expect, it } from 'vitest';

import { readListing } from './listing.ts';

const read = (text: string, size = 7) =>
  readListing(
    (async function* () {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
    })(),
  );

const answer = (...responses: string[]) =>
  `<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">${responses.join('')}</d:multistatus>`;

describe('a list that a WebDAV server gives', () => {
  it('tells files from folders, in any encoding of names, however it is cut into pieces', async () => {
    const text = answer(
      `<d:response><d:href>https://host/dav/a%20%C3%B1/</d:href><d:propstat><d:prop>
         <d:resourcetype><d:collection/></d:resourcetype><d:quota-available-bytes>1000</d:quota-available-bytes>
         <d:quota-used-bytes>24</d:quota-used-bytes></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`,
      `<d:response><d:href>/dav/a%20ñ/b%26&amp;c</d:href>
         <d:propstat><d:prop><d:resourcetype/><d:getcontentlength>42</d:getcontentlength><oc:getcontentlength>1</oc:getcontentlength>
           <d:getlastmodified>Sat, 21 Nov 2026 17:25:45 GMT</d:getlastmodified></d:prop><d:status>HTTP/1.1 200</d:status></d:propstat>
         <d:propstat><d:prop><d:quota-available-bytes>7</d:quota-available-bytes></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>
       </d:response>`,
    );
    expect(await read(text)).toEqual([
      { path: '/dav/a ñ', isFolder: true, available: 1000, used: 24 },
      { path: '/dav/a ñ/b&&c', isFolder: false, size: 42, modified: new Date('2026-11-21T17:25:45Z') },
    ]);
  });

  it.each([
    ['a page of a portal', '<html><body>Log in first</body></html>', /no list of files/],
    ['no XML', 'Not here', /no XML/],
    ['nothing', '', /no list of files/],
    ['half a list', answer('<d:response><d:href>/a</d:href>').slice(0, -17), /no XML/],
    ['a list of another protocol', '<multistatus xmlns="X:"/>', /no list of files/],
  ])('is not %s', async (_what, text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });
});
