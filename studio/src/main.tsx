import { render } from "preact";
import { App } from "./app.js";
import "./styles/base.css";
import "./styles/run.css";
import "./styles/pages.css";
import "./styles/motion.css";

render(<App />, document.getElementById("studio")!);
