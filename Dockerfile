# The relay with the web client that it serves.
#
#   docker build -t 0fc/relay:0.1.0 .
#   docker run --rm 0fc/relay:0.1.0 keygen
#   docker run -p 127.0.0.1:5103:5103 -v 0fc-data:/data 0fc/relay:0.1.0     one process, embedded store
#
# Runs as an unprivileged user over a root that may be read-only; /data is all it writes to.
ARG NODE_IMAGE=node:24-bookworm-slim

# ---- manifests: what decides over the packages, so that a change of sources installs none again
FROM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY libs/protocol/package.json libs/protocol/
COPY libs/crypto/package.json libs/crypto/
COPY libs/client/package.json libs/client/
COPY apps/relay/package.json apps/relay/
COPY apps/web/package.json apps/web/

# ---- packages: the relay's own, without what only compilers and people read
FROM manifests AS packages
RUN npm ci --ignore-scripts --omit=dev --workspace apps/relay --no-audit --no-fund --loglevel=error \
  && rm -rf node_modules/typescript node_modules/@types node_modules/undici-types node_modules/.bin \
  && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' \
       -o -name '*.md' -o -name '*.markdown' \) -delete \
  && npm cache clean --force >/dev/null 2>&1

# ---- build: relay, libraries and web client
FROM manifests AS build
RUN npm ci --ignore-scripts --workspaces --no-audit --no-fund --loglevel=error
COPY . .
RUN node tools/build.mjs \
  && find apps/relay/dist libs/protocol/dist libs/crypto/dist -type f \
       \( -name '*.d.ts' -o -name '*.map' -o -name '*.tsbuildinfo' \) -delete \
  && rm -rf libs/crypto/dist/keys libs/crypto/dist/browser

# ---- the image
FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="0FC relay" \
      org.opencontainers.image.description="Relay of an end-to-end encrypted group chat, with its web client" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=5103 \
    DATA_DIR=/data
WORKDIR /app
# Volumes take owner and mode from these folders when they are first used.
RUN install -d -o node -g node -m 0700 /data \
  && install -d -o node -g node -m 0755 /keys/relay /keys/redis
COPY LICENSE ./
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/libs/protocol/package.json libs/protocol/
COPY --from=build /app/libs/protocol/dist libs/protocol/dist
COPY --from=build /app/libs/crypto/package.json libs/crypto/
COPY --from=build /app/libs/crypto/dist libs/crypto/dist
COPY --from=build /app/apps/relay/package.json apps/relay/
COPY --from=build /app/apps/relay/dist apps/relay/dist
COPY --from=build /app/apps/web/dist/browser apps/web/dist/browser
COPY deploy/healthcheck.mjs deploy/init.mjs deploy/
USER node
EXPOSE 5103
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "deploy/healthcheck.mjs"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "apps/relay/dist/main.js"]
