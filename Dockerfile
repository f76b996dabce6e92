# syntax=docker/dockerfile:1
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY scripts/build.ts scripts/build.ts
COPY src src
RUN npm run build

FROM node:24.21.0-bookworm-slim
LABEL org.opencontainers.image.title="refwarden" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /src/dist/ /opt/refwarden/
COPY LICENSE /opt/refwarden/
USER 65532:65532
ENV NODE_ENV=production
ENTRYPOINT ["node", "/opt/refwarden/refwarden.js"]
CMD ["serve", "--help"]
