import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const center = process.env["PARAPET_CENTER"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  // Nothing may be inlined as data: or as a script in the page: the content security policy forbids it.
  build: { outDir: "dist", assetsInlineLimit: 0, modulePreload: { polyfill: false }, target: "es2022" },
  server: { proxy: { "/api": { target: center, ws: true } } },
  // A file that needs a page says so in its first line: to make one takes longer than most tests.
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}"] },
});
