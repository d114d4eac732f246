FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# Reads config/default.yaml: mount a folder that holds it here, or set HS110_MQTT_... variables.
COPY config ./config
USER node
ENTRYPOINT ["node", "dist/main.js"]
# Asks the broker, which knows by the last will whether the bridge still answers. It sees the file and the
# variables that the bridge sees, but not the flags given to `docker run`.
HEALTHCHECK --interval=30s --timeout=10s --start-period=15s --retries=3 \
  CMD ["node", "dist/main.js", "health"]
