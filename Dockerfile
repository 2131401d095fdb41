# The playground's libraries, which the binary embeds.
FROM node:22-alpine AS assets
WORKDIR /src/internal/server/pages
COPY internal/server/pages/package.json internal/server/pages/package-lock.json internal/server/pages/.npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY internal/server/pages ./
RUN npm run --silent build

FROM golang:1.26-alpine AS build
ARG VERSION=dev
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=assets /src/internal/server/pages/assets/npm internal/server/pages/assets/npm
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /tributary ./cmd/tributary

# Postgres is a container of its own: see compose.yaml.
FROM alpine:3.22
RUN adduser -D -h /data tributary
USER tributary
COPY --from=build /tributary /usr/local/bin/tributary
ENV TRIBUTARY_LISTEN=0.0.0.0:8080 TRIBUTARY_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["tributary"]
CMD ["serve"]
