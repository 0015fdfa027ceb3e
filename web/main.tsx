import './styles/base.css';
import './styles/shell.css';
import './styles/controls.css';
import { render } from 'preact';
import { App } from './app.js';
import { applyTheme } from './ui/theme.js';

applyTheme();
const place = document.getElementById('app');
if (place) render(<App />, place);
