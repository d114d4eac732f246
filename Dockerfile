FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json vite.config.ts ./
COPY src ./src
RUN npm run build && npm prune --omit=dev && rm -rf node_modules/@libsql/*-musl

FROM node:24-bookworm-slim
ARG VERSION=unknown REVISION=unknown
LABEL org.opencontainers.image.title="hs110-mqtt" \
  org.opencontainers.image.description="MQTT bridge for TP-Link Kasa HS110 smart plugs" \
  org.opencontainers.image.url="https://github.com/hs110-mqtt/hs110-mqtt" \
  org.opencontainers.image.source="https://github.com/hs110-mqtt/hs110-mqtt" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="$VERSION" \
  org.opencontainers.image.revision="$REVISION"
WORKDIR /app
# What must survive is kept in /app/data; nothing else is written to: the root may be read-only.
ENV NODE_ENV=production HS110_MQTT_DATADIR=/app/data
RUN mkdir data && chown node:node data
VOLUME /app/data
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# The bridge reads config/default.yaml: mount a folder that holds it there, or set HS110_MQTT_... variables.
COPY config ./config
USER node
ENTRYPOINT ["node", "dist/main.js"]
# Asks the broker, which knows by the last will whether the bridge still answers. The check sees the same file
# and the same variables as the bridge, but not the flags given to `docker run`. Engines from 25 on check every 5 s at
# first; --health-start-interval=1s, or start_interval in compose.yaml, is quicker. Older ones refuse it in this file.
HEALTHCHECK --interval=30s --timeout=10s --start-period=15s --retries=3 \
  CMD ["node", "dist/main.js", "health"]
