/** Style sheets, which Vite puts beside the script. */
declare module '*.css';
