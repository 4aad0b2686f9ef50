/** This package's version; a test holds it equal to package.json's. A constant, so that it survives bundling. */
export const VERSION = "0.1.0";
