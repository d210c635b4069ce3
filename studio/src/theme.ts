/** Light, dark, or what the system says; remembered. */
import { useEffect, useState } from "preact/hooks";

export type Theme = "system" | "light" | "dark";
const themes: readonly Theme[] = ["system", "light", "dark"];
const place = "stepwright-theme";

export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState<Theme>(remembered);
  useEffect(() => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem(place, theme);
    } catch {}
  }, [theme]);
  return [theme, () => setTheme((before) => themes[(themes.indexOf(before) + 1) % themes.length]!)];
}

function remembered(): Theme {
  try {
    const found = localStorage.getItem(place);
    return themes.find((theme) => theme === found) ?? "system";
  } catch {
    return "system";
  }
}
