import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { applyAddress, followOtherWindows } from "./state/settings";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/forms.css";
import "./styles/wall.css";
import "./styles/incident.css";
import "./styles/record.css";
import "./styles/roofs.css";
import "./styles/cases.css";
import "./styles/map.css";
import "./styles/review.css";
import "./styles/reports.css";
import "./styles/admin.css";
import "./styles/setup.css";
import "./styles/file.css";
import "./styles/draw.css";
import "./styles/holds.css";

applyAddress(window.location.search);
followOtherWindows();
const client = new QueryClient({ defaultOptions: { queries: { refetchOnWindowFocus: false, retry: 2 } } });
const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);
