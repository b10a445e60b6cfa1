// oauth2-mock-server with tokens of chosen lifetimes, and refresh tokens that count once.
//
//     node oauth.mjs PACKAGE REFRESH_TOKEN SECONDS...
//
// The first token holds for the first number of seconds, and so on; the last number is for all that follow.
import { pathToFileURL } from "node:url";

const [entry, first, ...told] = process.argv.slice(2);
const { Events, OAuth2Server } = await import(pathToFileURL(entry));
const lifetimes = told.map(Number);
let current = first;
let granted = 0;

const server = new OAuth2Server();
await server.issuer.keys.generate("RS256");
server.service.on(Events.BeforeTokenSigning, (token) => {
  const lifetime = lifetimes[Math.min(granted, lifetimes.length - 1)];
  token.payload.exp = token.payload.iat + lifetime;
});
server.service.on(Events.BeforeResponse, (response, request) => {
  if (request.body.refresh_token === current) {
    granted += 1;
    current = response.body.refresh_token;
  } else {
    response.statusCode = 400;
    response.body = { error: "invalid_grant", error_description: "the refresh token is not valid any more" };
  }
});
await server.start(0, "127.0.0.1");
server.issuer.url = `http://127.0.0.1:${server.address().port}`;
